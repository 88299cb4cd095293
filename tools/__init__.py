"""The outside world: one folder per system, with its records, its client and any MCP server that we publish."""
