"""What every door over HTTP shares: errors as problems, who is let in, and one process that listens."""
