"""Checks of nodes, APIs, certificates, quotas, volumes and what cannot be deleted."""
