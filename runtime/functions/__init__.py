"""Python functions as jobs: kept in a file by the caller, called once in a process of its own."""

from __future__ import annotations

from runtime.functions.keeping import FUNCTION_FILE, command_of, keep_function

__all__ = ["FUNCTION_FILE", "command_of", "keep_function"]
