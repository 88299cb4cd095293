"""When a re-run is proposed, how often re-runs rescue, and when an outage holds them back."""
