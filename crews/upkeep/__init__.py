"""TODO crews/upkeep"""
