"""MCP servers that the crew uses, and the one that it offers for Bitbucket."""
