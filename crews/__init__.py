"""One file per crew: one job on the schedule, or one kind of conversation."""
