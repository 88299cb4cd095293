"""Builds the clients of the outside systems from settings, each on first use, and closes them together.

The only place that knows both a setting and the client it leads to. A system that is not configured is None.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Self

from pydantic import SecretStr

from opscrew.clock import Clock
from opscrew.metrics import Metrics
from opscrew.settings import Settings

if TYPE_CHECKING:
    from crews.cluster_reader import ClusterReader
    from tools.bitbucket.client import BitbucketClient
    from tools.kubernetes.client import KubernetesClient


class Systems:
    """Use as a context manager, or call ``close()``."""

    def __init__(self, settings: Settings, clock: Clock, metrics: Metrics) -> None:
        self.settings = settings
        self.clock = clock
        self.metrics = metrics
        self._open = ExitStack()
        self._lock = Lock()
        self._clusters: dict[str, ClusterReader] = {}

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

    def cluster(self, name: str) -> ClusterReader:
        """The reader of a configured cluster. Raises ``UsageError`` for a name that is not configured."""
        with self._lock:
            if name not in self._clusters:
                from crews.cluster_reader import ClusterReader
                from crews.cluster_sweep import choose_clusters

                reader = ClusterReader(choose_clusters(self.settings, name)[0], self.metrics)
                self._clusters[name] = reader
                self._open.callback(reader.close)
            return self._clusters[name]

    def kubernetes(self, name: str) -> KubernetesClient | None:
        """The client of a configured cluster, or None. Raises ``UpstreamError`` where its kubeconfig is wrong."""
        if name not in {part.name for part in self.settings.kubernetes}:
            return None
        return self.cluster(name).client


def _plain(secret: SecretStr | None) -> str:
    """The secret's value. Called only here, at the edge where a client is built."""
    return secret.get_secret_value() if secret else ""
