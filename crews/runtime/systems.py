"""Builds the clients of the outside systems from settings, each on first use, and closes them together.

The only place that knows both a setting and the client it leads to. A system that is not configured is None.
"""

from __future__ import annotations

from contextlib import ExitStack
from threading import RLock
from typing import TYPE_CHECKING, Any, Self, TypeVar

from pydantic import SecretStr

from opscrew.clock import Clock
from opscrew.metrics import Metrics
from opscrew.settings import Settings, UrlSettings
from opscrew.settings_stores import StoreSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from crews.runtime.cluster_reader import ClusterReader
    from tools.alertmanager.client import AlertmanagerClient
    from tools.bitbucket.client import BitbucketClient
    from tools.connection import Address, OnResponse
    from tools.grafana.client import GrafanaClient
    from tools.kubernetes.client import KubernetesClient
    from tools.victorialogs.client import VictoriaLogsClient
    from tools.victoriametrics.client import VictoriaMetricsClient
    from tools.victoriametrics.vmalert import VmalertClient

    U = TypeVar("U", AlertmanagerClient, GrafanaClient, VictoriaLogsClient, VictoriaMetricsClient, VmalertClient)

C = TypeVar("C")


class Systems:
    """Use as a context manager, or call ``close()``."""

    def __init__(self, settings: Settings, clock: Clock, metrics: Metrics) -> None:
        self.settings = settings
        self.clock = clock
        self.metrics = metrics
        self._open = ExitStack()
        self._lock = RLock()
        self._made: dict[str, Any] = {}
        self._clusters: dict[str, ClusterReader] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes every client that was opened."""
        self._open.close()

    @property
    def bitbucket(self) -> BitbucketClient | None:
        return self._once("bitbucket", self._open_bitbucket)

    def _open_bitbucket(self) -> BitbucketClient | None:
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

    @property
    def victoriametrics(self) -> VictoriaMetricsClient | None:
        """The common store; ``metrics_of`` is the one of a cluster."""
        return self.metrics_of("")

    def metrics_of(self, cluster: str) -> VictoriaMetricsClient | None:
        """The store that holds the series of that cluster."""

        def build(address: Address, on_response: OnResponse) -> VictoriaMetricsClient:
            from tools.victoriametrics.client import VictoriaMetricsClient

            return VictoriaMetricsClient(address, on_response=on_response)

        return self._at_url("victoriametrics", self.settings.store("victoriametrics", cluster), build, cluster)

    @property
    def victorialogs(self) -> VictoriaLogsClient | None:
        """The common store; ``logs_of`` is the one of a cluster."""
        return self.logs_of("")

    def logs_of(self, cluster: str) -> VictoriaLogsClient | None:
        """The store that holds the logs of that cluster."""

        def build(address: Address, on_response: OnResponse) -> VictoriaLogsClient:
            from tools.victorialogs.client import VictoriaLogsClient

            part = self.settings.victorialogs
            return VictoriaLogsClient(address, on_response=on_response, names=part.fields if part else None)

        return self._at_url("victorialogs", self.settings.store("victorialogs", cluster), build, cluster)

    @property
    def vmalert(self) -> VmalertClient | None:
        def build(address: Address, on_response: OnResponse) -> VmalertClient:
            from tools.victoriametrics.vmalert import VmalertClient

            return VmalertClient(address, on_response=on_response)

        return self._at_url("vmalert", self.settings.vmalert, build)

    @property
    def alertmanager(self) -> AlertmanagerClient | None:
        def build(address: Address, on_response: OnResponse) -> AlertmanagerClient:
            from tools.alertmanager.client import AlertmanagerClient

            return AlertmanagerClient(address, on_response=on_response)

        return self._at_url("alertmanager", self.settings.alertmanager, build)

    @property
    def grafana(self) -> GrafanaClient | None:
        def build(address: Address, on_response: OnResponse) -> GrafanaClient:
            from tools.grafana.client import GrafanaClient

            return GrafanaClient(address, on_response=on_response)

        return self._at_url("grafana", self.settings.grafana, build)

    def cluster(self, name: str) -> ClusterReader:
        """The reader of a configured cluster. Raises ``UsageError`` for a name that is not configured."""
        with self._lock:
            if name not in self._clusters:
                from crews.runtime.cluster_reader import ClusterReader
                from crews.runtime.clusters import choose_clusters

                reader = ClusterReader(choose_clusters(self.settings, name)[0], self.metrics)
                self._clusters[name] = reader
                self._open.callback(reader.close)
            return self._clusters[name]

    def kubernetes(self, name: str) -> KubernetesClient | None:
        """The client of a configured cluster, or None. Raises ``UpstreamError`` where its kubeconfig is wrong."""
        if name not in {part.name for part in self.settings.kubernetes}:
            return None
        return self.cluster(name).client

    def _once(self, name: str, build: Callable[[], C]) -> C:
        """What ``build`` gave the first time. Crews and questions ask at once, and two clients would be two budgets."""
        with self._lock:
            if name not in self._made:
                self._made[name] = build()
            found: C = self._made[name]
            return found

    def _at_url(
        self, name: str, part: UrlSettings | None, build: Callable[[Address, OnResponse], U], cluster: str = ""
    ) -> U | None:
        """The client of a system with nothing but an address; each answer is counted by its status."""
        if part is None:
            return None

        def opened() -> U:
            client = build(address_of(name, part), lambda outcome: self.metrics.requests.labels(name, outcome).inc())
            self._open.callback(client.close)
            return client

        # Clusters of the common store share its client.
        return self._once(name if part == getattr(self.settings, name) else f"{name} of {cluster}", opened)


def address_of(name: str, part: UrlSettings) -> Address:
    """Where a system is and what is shown to it.

    VictoriaMetrics takes its tenant in the path (https://docs.victoriametrics.com/victoriametrics/cluster-victoriametrics/#url-format),
    VictoriaLogs in headers (https://docs.victoriametrics.com/victorialogs/#multitenancy).
    """
    from tools.connection import Address

    url = part.url.rstrip("/")
    headers: dict[str, str] = {}
    if isinstance(part, StoreSettings):
        headers |= part.headers | {key: _plain(value) for key, value in part.secret_headers.items()}
        account, _, project = part.tenant.partition(":")
        if account and name == "victoriametrics":
            url = f"{url}/select/{part.tenant}/prometheus"
        elif account:
            headers |= {"AccountID": account, "ProjectID": project or "0"}
    return Address(url, part.user, _plain(part.password), _plain(part.token), part.timeout_seconds, headers)


def _plain(secret: SecretStr | None) -> str:
    """The secret's value. Called only here, at the edge where a client is built."""
    return secret.get_secret_value() if secret else ""
