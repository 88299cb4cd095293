"""TODO crews/ci_watch"""
