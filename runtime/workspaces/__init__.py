"""Copies of a repository's files: the base of a campaign, taken once, and the tree of each candidate."""

from __future__ import annotations

from runtime.workspaces.base import Base, files_below, open_base, take_base
from runtime.workspaces.trees import lay_out

__all__ = ["Base", "files_below", "lay_out", "open_base", "take_base"]
