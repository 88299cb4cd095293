"""TODO opscrew/ci/rerun"""
