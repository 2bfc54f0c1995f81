"""Historians: what came of it, and what it teaches."""

from agents.historians import chronicler

__all__ = ["chronicler"]
