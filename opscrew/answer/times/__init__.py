"""Finds the span of time that a question means."""
