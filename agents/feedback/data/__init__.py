"""Learned tables, as JSON; `docs/feedback.md` tells how they were learned."""
