"""Silence that may have been paid for."""

from __future__ import annotations

from core.errors import ModelSilentError

__all__ = ["UncertainError"]


class UncertainError(ModelSilentError):
    """It fell silent after the call had reached it: what it read, wrote and charged is not known."""
