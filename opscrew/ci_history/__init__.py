"""The history of CI as facts: every pipeline and step, what was read without a gap, and what is still to be read."""
