"""Doors, thin: command line, session, REST, MCP, library, exports and reports over one table of operations."""
