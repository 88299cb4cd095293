"""TODO opscrew/answer/prose"""
