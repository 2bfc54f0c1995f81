"""Ratchet, OpenEvolve and ShinkaEvolve on the same task, against the same stub of a language model."""
