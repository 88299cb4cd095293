"""TODO opscrew/cluster/report"""
