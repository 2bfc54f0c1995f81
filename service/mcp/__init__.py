"""MCP: operations as tools, campaigns and episodes as resources, prompts; on stdio, and over HTTP in `serve`."""
