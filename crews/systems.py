"""Builds the clients of the outside systems from settings, each on first use, and closes them together.

The only place that knows both a setting and the client it leads to. A system that is not configured is None.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Self

from pydantic import SecretStr

from opscrew.clock import Clock
from opscrew.metrics import Metrics
from opscrew.settings import Settings

if TYPE_CHECKING:
    from tools.bitbucket.client import BitbucketClient


class Systems:
    """Use as a context manager, or call ``close()``."""

    def __init__(self, settings: Settings, clock: Clock, metrics: Metrics) -> None:
        self.settings = settings
        self.clock = clock
        self.metrics = metrics
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes every client that was opened."""
        self._open.close()

    @cached_property
    def bitbucket(self) -> BitbucketClient | None:
        part = self.settings.bitbucket
        if part is None:
            return None
        from tools.bitbucket.client import BitbucketClient

        client = BitbucketClient(
            part.url,
            part.workspace,
            token=_plain(part.token),
            user=part.user,
            requests_per_hour=part.requests_per_hour,
            clock=self.clock,
            on_response=lambda outcome: self.metrics.requests.labels("bitbucket", outcome).inc(),
        )
        self._open.callback(client.close)
        return client


def _plain(secret: SecretStr | None) -> str:
    """The secret's value. Called only here, at the edge where a client is built."""
    return secret.get_secret_value() if secret else ""
