"""Everything that can hang, crash or cost: job processes and their queue."""
