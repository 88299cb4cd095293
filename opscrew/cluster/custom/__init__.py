"""Checks of custom resources, by the conventions of status alone."""
