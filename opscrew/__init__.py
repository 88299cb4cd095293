"""Judgement and memory, without any model and without any network."""
