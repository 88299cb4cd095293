"""TODO opscrew/ci/watch"""
