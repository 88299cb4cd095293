"""TODO opscrew/answer/write"""
