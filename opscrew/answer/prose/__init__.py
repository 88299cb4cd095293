"""What a sentence of a model must pass before a person sees it."""
