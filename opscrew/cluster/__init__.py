"""Judges Kubernetes objects: one small file per kind, pure functions over records."""
