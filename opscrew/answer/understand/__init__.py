"""What a question asks for: intent, subjects, and what is carried over from before."""
