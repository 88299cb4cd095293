"""TODO crews/alert_triage"""
