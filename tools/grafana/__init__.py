"""Grafana: alert state, annotations, dashboard links."""
