"""The library's door: a campaign from Python, over the same store as the command line's."""
