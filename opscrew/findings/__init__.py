"""The life of a finding: new, ongoing, resolved, flapping, suppressed."""
