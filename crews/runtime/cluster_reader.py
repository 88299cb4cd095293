"""Reads one cluster as often as asked, in the cheapest way for the process that asks.

The first reading lists everything once. A second one shows that this process stays: from then on watches keep the
picture warm, and a reading takes milliseconds. A cluster of which only some namespaces are wanted is listed each time.
A warm picture grows old without showing it when the server stops answering, so each reading asks for a sign of life.
"""

from __future__ import annotations

from contextlib import ExitStack
from threading import RLock

from crews.runtime.clusters import open_access
from opscrew.metrics import Metrics
from opscrew.settings import KubernetesSettings
from tools.kubernetes.client import KubernetesClient
from tools.kubernetes.mirror import Mirror
from tools.kubernetes.sweep import Reading, read_cluster

_ANSWER_SECONDS = 2.5
"""Well within what a question gives each of its sources, so that a server that hangs is told by its name."""


class ClusterReader:
    """Owns the client of one cluster; ``close()`` ends its watches. Several crews and questions read at once."""

    def __init__(self, part: KubernetesSettings, metrics: Metrics | None = None) -> None:
        self.name = part.name
        self._part = part
        self._metrics = metrics
        self._open = ExitStack()
        self._making = RLock()
        self._client: KubernetesClient | None = None
        self._mirror: Mirror | None = None
        self._readings = 0

    @property
    def client(self) -> KubernetesClient:
        """Made on first use. Raises ``UpstreamError`` where the kubeconfig is wrong."""
        with self._making:
            if self._client is None:
                self._client = KubernetesClient(open_access(self._part), on_response=self._count)
                self._open.callback(self._client.close)
            return self._client

    def read(self) -> Reading:
        """Everything that checks look at. Raises ``UpstreamError`` when the server does not answer now."""
        mirror = self._warm()
        if mirror is None:
            return read_cluster(self.client, self._part.namespaces)
        self.client.require_answer(_ANSWER_SECONDS)
        reading = mirror.read()
        if not reading.listed:
            # Nothing is warm: ask once more directly, which raises with the reason.
            return read_cluster(self.client, self._part.namespaces)
        return reading

    def _warm(self) -> Mirror | None:
        """The watched picture, begun with the second reading; None where it is listed."""
        with self._making:
            self._readings += 1
            if self._readings == 1 or "*" not in self._part.namespaces:
                return None
            if self._mirror is None:
                self._mirror = Mirror(self.client)
                self._open.callback(self._mirror.close)
                self._mirror.start()
            return self._mirror

    def close(self) -> None:
        self._open.close()

    def _count(self, outcome: str) -> None:
        if self._metrics is not None:
            self._metrics.requests.labels("kubernetes", outcome).inc()
