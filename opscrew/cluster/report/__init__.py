"""What people read of a cluster: folding, wording, summary, and what is left out as noise."""
