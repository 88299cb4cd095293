"""TODO crews/summaries"""
