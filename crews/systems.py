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
from opscrew.settings import Settings, UrlSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from crews.cluster_reader import ClusterReader
    from tools.alertmanager.client import AlertmanagerClient
    from tools.bitbucket.client import BitbucketClient
    from tools.connection import Address
    from tools.grafana.client import GrafanaClient
    from tools.kubernetes.client import KubernetesClient
    from tools.victorialogs.client import VictoriaLogsClient
    from tools.victoriametrics.client import VictoriaMetricsClient
    from tools.victoriametrics.vmalert import VmalertClient


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

    @cached_property
    def victoriametrics(self) -> VictoriaMetricsClient | None:
        part = self.settings.victoriametrics
        if part is None:
            return None
        from tools.victoriametrics.client import VictoriaMetricsClient

        client = VictoriaMetricsClient(_address(part), on_response=self._counter("victoriametrics"))
        self._open.callback(client.close)
        return client

    @cached_property
    def victorialogs(self) -> VictoriaLogsClient | None:
        part = self.settings.victorialogs
        if part is None:
            return None
        from tools.victorialogs.client import VictoriaLogsClient

        client = VictoriaLogsClient(_address(part), on_response=self._counter("victorialogs"))
        self._open.callback(client.close)
        return client

    @cached_property
    def vmalert(self) -> VmalertClient | None:
        part = self.settings.vmalert
        if part is None:
            return None
        from tools.victoriametrics.vmalert import VmalertClient

        client = VmalertClient(_address(part), on_response=self._counter("vmalert"))
        self._open.callback(client.close)
        return client

    @cached_property
    def alertmanager(self) -> AlertmanagerClient | None:
        part = self.settings.alertmanager
        if part is None:
            return None
        from tools.alertmanager.client import AlertmanagerClient

        client = AlertmanagerClient(_address(part), on_response=self._counter("alertmanager"))
        self._open.callback(client.close)
        return client

    @cached_property
    def grafana(self) -> GrafanaClient | None:
        part = self.settings.grafana
        if part is None:
            return None
        from tools.grafana.client import GrafanaClient

        client = GrafanaClient(_address(part), on_response=self._counter("grafana"))
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

    def _counter(self, system: str) -> Callable[[str], object]:
        """Counts each answer by its status."""
        return lambda outcome: self.metrics.requests.labels(system, outcome).inc()


def _address(part: UrlSettings) -> Address:
    from tools.connection import Address

    return Address(part.url, part.user, _plain(part.password), _plain(part.token), part.timeout_seconds)


def _plain(secret: SecretStr | None) -> str:
    """The secret's value. Called only here, at the edge where a client is built."""
    return secret.get_secret_value() if secret else ""
