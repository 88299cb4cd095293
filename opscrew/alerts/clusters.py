"""Which of our clusters an alert comes from. A cluster that nobody knows is never looked at by guess."""

from __future__ import annotations

from collections.abc import Sequence

from opscrew.alerts.objects import NAMESPACE, Labelled, own_labels_of
from opscrew.model.subject import Subject
from opscrew.settings import KubernetesSettings


def cluster_of(alert: Labelled, clusters: Sequence[KubernetesSettings]) -> tuple[str, str]:
    """The name of our cluster, and empty; or the label's own word, and why it cannot be looked at.

    Alerts name a cluster as metrics do, so ``metrics_labels`` tell it too. With one cluster, alerts need not name it.
    """
    own = own_labels_of(alert)
    said = own.get("cluster", "")
    names = [one.name for one in clusters]
    if said in names:
        return said, ""
    by_labels = [
        one.name
        for one in clusters
        if one.metrics_labels and all(alert.labels.get(name) == value for name, value in one.metrics_labels.items())
    ]
    if len(by_labels) == 1:
        return by_labels[0], ""
    if said:
        known = f"none of ours ({', '.join(names)})" if names else "not configured"
        return said, f"the cluster {said} is {known}, and nothing was looked at there"
    if len(clusters) == 1:
        return names[0], ""
    return "", "the alert names no cluster, and there are several: nothing was looked at there" if names else ""


def in_cluster(subject: Subject, cluster: str) -> Subject:
    """The same object with our own name of its cluster."""
    _, slash, namespace = subject.scope.partition("/")
    inner = "" if subject.kind == NAMESPACE else slash + namespace
    return subject.model_copy(update={"scope": cluster + inner})
