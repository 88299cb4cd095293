"""Bitbucket Cloud: pipelines, steps, logs, commits, pull requests."""
