"""TODO crews/mcp"""
