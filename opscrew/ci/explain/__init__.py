"""TODO opscrew/ci/explain"""
