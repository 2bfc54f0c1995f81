"""Training jobs submitted by name: a queue that survives its process, and an executor for plain code."""
