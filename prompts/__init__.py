"""Prompt files and their rendering."""

from prompts.files import PromptFile, load, names, render, visible

__all__ = ["PromptFile", "load", "names", "render", "visible"]
