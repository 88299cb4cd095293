"""VictoriaMetrics and vmalert: metrics, rules, alerts."""
