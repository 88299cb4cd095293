"""TODO opscrew/cluster/platform"""
