"""Speaks to Alertmanager."""
