"""Sandboxes that speak the real systems' HTTP APIs, for `crew demo` and for the tests."""
