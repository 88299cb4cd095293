"""TODO crews/runtime"""
