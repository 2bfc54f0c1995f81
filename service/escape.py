"""Text of others as a terminal may show it."""

from __future__ import annotations

from core.escape import escaped

__all__ = ["escaped"]
