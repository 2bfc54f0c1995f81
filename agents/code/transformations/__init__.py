"""Named source transformations that make Python faster and keep what it does."""
