"""Historians: what came of it, and what it teaches."""

from agents.historians import chronicler, code_chronicler, reflective

__all__ = ["chronicler", "code_chronicler", "reflective"]
