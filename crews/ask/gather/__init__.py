"""One file per place where evidence for an answer is looked for."""
