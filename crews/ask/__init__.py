"""From a question to an answer: names, evidence, text, prose of a model, and what is remembered."""
