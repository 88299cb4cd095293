"""Judges volumes: how full, how fast, and what to do about it."""
