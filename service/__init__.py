"""Doors, thin: the command line and the reports."""
