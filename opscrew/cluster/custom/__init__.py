"""TODO opscrew/cluster/custom"""
