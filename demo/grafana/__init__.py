"""A Grafana of the demo world: its HTTP API as far as dashboards, data sources, annotations and health go."""
