"""TODO opscrew/cluster/network"""
