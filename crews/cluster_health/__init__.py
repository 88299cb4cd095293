"""TODO crews/cluster_health"""
