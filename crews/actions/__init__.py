"""How each kind of action is sent, found again after a crash, and judged. One file per kind."""
