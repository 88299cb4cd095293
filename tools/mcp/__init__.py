"""The gateway to MCP servers, ours and other people's."""
