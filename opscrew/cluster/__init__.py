"""Judges Kubernetes objects, one small file per kind: pure functions over the records of ``tools.kubernetes``."""
