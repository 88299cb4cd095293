"""TODO opscrew/cluster/workloads"""
