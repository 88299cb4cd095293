"""Speaks to Kubernetes: records, reading with list and watch, and the few writes that actions need."""
