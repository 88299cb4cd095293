"""What the daemon answers over HTTP: probes, metrics, status, webhooks."""
