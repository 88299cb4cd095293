"""The job that keeps the history of CI: what is new, the steps of it, and the past as the request budget allows."""
