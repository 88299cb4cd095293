"""Telling people: what is in the outbox goes to the channels."""
