"""From a question to a checked answer, without any model."""
