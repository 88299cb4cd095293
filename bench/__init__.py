"""Measures the project against its targets. `python -m bench` runs everything; no test depends on it."""
