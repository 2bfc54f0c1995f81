"""What is known of a Python module without running it: its text, names, kinds of values, effects and flow."""
