"""Historians: what came of it, and what it teaches."""

from agents.historians import assessor, chronicler, code_chronicler, reflective

__all__ = ["assessor", "chronicler", "code_chronicler", "reflective"]
