"""VictoriaLogs: log counts and patterns."""
