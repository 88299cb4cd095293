"""TODO opscrew/ci/judge"""
