"""The job that finds failed pipelines and runs again what a re-run rescues."""
