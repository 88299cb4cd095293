"""A sandbox of Bitbucket Cloud: speaks its HTTP API, with pipelines whose fate is written in scenarios.yaml."""

from demo.bitbucket.app import create_app
from demo.bitbucket.world import World

__all__ = ["World", "create_app"]
