"""Changes of code: patches parsed, applied, merged and taken apart, and transformations that make Python faster.

Text in, text out: nothing here touches a file or starts a process.
"""
