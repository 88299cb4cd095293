"""The job that finds what is wrong in the clusters."""
