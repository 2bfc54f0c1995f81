"""Arithmetic: spaces, world model, acquisition, stagnation. No I/O, no clock, no model."""
