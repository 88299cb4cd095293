"""TODO opscrew/answer/claims"""
