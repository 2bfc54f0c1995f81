"""What works on a live service: telemetry understood, changes of its code drafted."""
