"""Judges alerts: grouping, life and likely causes."""
