"""Checks of what runs: pods, containers, images, deployments, sets and jobs."""
