"""Kubernetes: lists, watches and the few changes that actions need."""
