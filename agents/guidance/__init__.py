"""Guidance in words → what the roles of a council can act on."""
