"""The nouns that every other part speaks in. They hold values and no behaviour beyond naming themselves."""
