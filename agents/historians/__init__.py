"""Historians: what came of it, and what it teaches."""

from agents.historians import chronicler, reflective

__all__ = ["chronicler", "reflective"]
