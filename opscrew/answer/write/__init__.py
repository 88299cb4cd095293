"""The answer that code writes and that always stands."""
