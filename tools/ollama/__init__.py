"""Asks an Ollama host about itself: version, models, memory. Conversation with a model is ``crews/team``'s work."""
