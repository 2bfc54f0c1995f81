"""A control plane seen from outside: what is said to it, its client, and jobs that run there."""
