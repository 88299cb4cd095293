"""TODO opscrew/answer/understand"""
