"""TODO crews/storage_growth"""
