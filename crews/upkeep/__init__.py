"""Three small jobs that keep house: actions are followed, old records forgotten, episodes remembered."""
