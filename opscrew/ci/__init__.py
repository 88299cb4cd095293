"""Judges CI failures: which lines explain one, whether a re-run is worth it, and what re-runs taught us."""
