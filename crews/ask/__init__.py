"""TODO crews/ask"""
