"""Reads the configured clusters once. Apart from the crew: a command must not pay for a database it does not use."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from opscrew.clock import Clock, utc_now
from opscrew.cluster.snapshot import Snapshot
from opscrew.errors import NotFoundError, UsageError
from opscrew.settings import KubernetesSettings, Settings
from tools.kubernetes.access import Access, contexts_of, from_kubeconfig, in_cluster
from tools.kubernetes.client import KubernetesClient
from tools.kubernetes.sweep import Reading, read_cluster

_DEFAULT_KUBECONFIG = Path("~/.kube/config").expanduser()


def sweep_clusters(settings: Settings, name: str = "", clock: Clock = utc_now) -> Iterator[tuple[str, Snapshot]]:
    """(name, snapshot) of each configured cluster, or of the named one."""
    for part in choose_clusters(settings, name):
        with KubernetesClient(open_access(part)) as client:
            yield part.name, snapshot_of(read_cluster(client, part.namespaces), clock())


def choose_clusters(settings: Settings, name: str = "") -> tuple[KubernetesSettings, ...]:
    """By name in the configuration, else by context in one of the known kubeconfigs. Raises ``NotFoundError``."""
    if not name:
        if settings.kubernetes:
            return settings.kubernetes
        if _DEFAULT_KUBECONFIG.is_file():
            return (KubernetesSettings(name="default", kubeconfig=_DEFAULT_KUBECONFIG),)
        raise UsageError(
            "no Kubernetes cluster is configured",
            "Name one in crew.yaml (kubernetes: [{name: prod, kubeconfig: ~/.kube/config}]), or give "
            "`crew cluster check` saved files.",
        )
    for part in settings.kubernetes:
        if name in (part.name, part.context):
            return (part,)
    files = [part.kubeconfig for part in settings.kubernetes if part.kubeconfig] + [_DEFAULT_KUBECONFIG]
    for file in files:
        if file.expanduser().is_file() and name in contexts_of(file):
            return (KubernetesSettings(name=name, kubeconfig=file, context=name),)
    known = ", ".join(part.name for part in settings.kubernetes) or "none"
    raise NotFoundError(f"there is no cluster or context {name!r}", f"Configured clusters: {known}.")


def open_access(part: KubernetesSettings) -> Access:
    """How that cluster is reached."""
    if part.kubeconfig is None:
        return in_cluster()
    return from_kubeconfig(part.kubeconfig, part.context or "", allow_insecure=part.allow_insecure)


def snapshot_of(reading: Reading, now: datetime) -> Snapshot:
    """A reading as the checks want it."""
    return Snapshot(
        reading.resources,
        now,
        events=reading.events,
        listed=frozenset(reading.listed),
        not_checked=reading.not_checked,
    )
