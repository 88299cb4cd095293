"""What a person asks to see at once, across jobs."""
