"""The job that takes in alerts, finds their likeliest cause and proposes a repair."""
