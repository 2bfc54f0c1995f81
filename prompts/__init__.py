"""Prompt files and their rendering."""
