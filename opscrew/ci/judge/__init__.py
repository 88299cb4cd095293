"""Is a re-run worth it? The verdict on a failure, and what it rests on."""
