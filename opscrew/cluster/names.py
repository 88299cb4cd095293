"""Keeps the names of what people ask about in a cluster, healthy or not: workloads, namespaces, nodes, volumes.

Written by every sweep, and only where something changed; read by questions, which have no second for a list of their
own. Pods are left out: their names live for hours, and people say the workload's.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Engine, delete, select, tuple_

from opscrew.model.subject import Subject
from opscrew.store.database import reading
from opscrew.store.tables.cluster_names import cluster_names

NAMED_KINDS = ("Namespace", "Node", "Deployment", "StatefulSet", "DaemonSet", "CronJob", "PersistentVolumeClaim")
CHANGED_AT_ONCE = 200
"""Rows of one statement; SQLite bounds the number of values in it."""

Place = tuple[str, str, str]
"""Kind, namespace (empty for what has none) and name."""


def known_places(engine: Engine, cluster: str) -> set[Place]:
    """As the last sweep saw them; empty before the first."""
    columns = (cluster_names.c.kind, cluster_names.c.namespace, cluster_names.c.name)
    with reading(engine).connect() as connection:
        rows = connection.execute(select(*columns).where(cluster_names.c.cluster == cluster))
        return {(row.kind, row.namespace, row.name) for row in rows}


def remember(engine: Engine, cluster: str, seen: Iterable[Place], kinds: Iterable[str]) -> None:
    """``kinds`` are those that were read completely: what is missing of them is gone, of others it is not known."""
    known, now, complete = known_places(engine, cluster), set(seen), set(kinds)
    new = sorted(now - known)
    gone = sorted(place for place in known - now if place[0] in complete)
    if not new and not gone:
        return
    columns = tuple_(cluster_names.c.kind, cluster_names.c.namespace, cluster_names.c.name)
    with engine.begin() as connection:
        for start in range(0, len(gone), CHANGED_AT_ONCE):
            some = columns.in_(gone[start : start + CHANGED_AT_ONCE])
            connection.execute(delete(cluster_names).where(cluster_names.c.cluster == cluster, some))
        if new:
            rows = [{"cluster": cluster, "kind": kind, "namespace": place, "name": name} for kind, place, name in new]
            connection.execute(cluster_names.insert(), rows)


def subject_of(cluster: str, place: Place) -> Subject:
    """The same in the model's words."""
    kind, namespace, name = place
    scope = f"{cluster}/{namespace}" if namespace else cluster
    return Subject(system="kubernetes", kind=kind, scope=scope, name=name)
