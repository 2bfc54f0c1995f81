"""Figures of the improvement cycle's parts."""
