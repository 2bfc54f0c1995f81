"""Changing source code: text in, text out."""
