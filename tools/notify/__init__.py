"""Telling people outside: the one door to apprise, which speaks to chat services, mail and webhooks."""
