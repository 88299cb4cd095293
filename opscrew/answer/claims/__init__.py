"""Whether a sentence of a model says only what the evidence holds."""
