"""Edits of the shipped code campaigns, written by hand: what is there to be found, and what looks like it."""
