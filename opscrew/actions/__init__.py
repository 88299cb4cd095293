"""Permission and proof: what may be done, by whom, how often, and an audit of what was."""
