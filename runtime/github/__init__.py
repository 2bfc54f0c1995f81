"""GitHub over its REST API: bounded, patient, and the token goes to nobody else."""
