"""Which pipelines are looked at when, and what is known to be failing."""
