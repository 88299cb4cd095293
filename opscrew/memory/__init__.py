"""What the crew remembers: conversations, incidents, runbooks, and how to find them again."""
