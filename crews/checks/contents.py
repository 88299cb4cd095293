"""Checks of what the stores hold: each needed series with each cluster's labels, and each needed field of logs.

A store that answers and holds nothing of what is judged is the most silent of all faults. What is missing is named,
with what nobody will see for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from crews.checks.check import Check, Level, Result
from crews.runtime.cluster_metrics import metrics_of
from crews.runtime.systems import Systems
from opscrew.settings import KubernetesSettings, Settings

HOUR = timedelta(hours=1)
AT_ONCE = 4
MOST_NAMED = 4
"""Needs named in one line; the others are counted."""


def series_checks(settings: Settings) -> tuple[Check, ...]:
    """One check for each cluster; of a store without clusters, one for the whole of it."""
    if settings.victoriametrics is None:
        return ()
    if not settings.kubernetes:
        return (Check("series", lambda systems: _series(systems, None)),)
    return tuple(_of_cluster(part) for part in settings.kubernetes)


def _of_cluster(part: KubernetesSettings) -> Check:
    return Check(f"series of {part.name}", lambda systems: _series(systems, part))


def _series(systems: Systems, part: KubernetesSettings | None) -> Result:
    """Raises ``UpstreamError``, or ``CrewError`` where nobody can know which series are the cluster's."""
    from tools.queries import matchers
    from tools.victoriametrics.series import needs

    client = metrics_of(systems, part) if part is not None else systems.victoriametrics
    assert client is not None, "only asked where it is configured"
    labels = part.metrics_labels if part is not None else {}
    now = systems.clock()

    def found(query: str) -> set[str]:
        return {sample.labels.get("__name__", "") for sample in client.instant(query, now).samples}

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="series") as pool:
        answers = list(pool.map(found, [need.query(labels) for need in needs().values()]))
    pairs = zip(needs().values(), answers, strict=True)
    missing = [(need, lacking) for need, names in pairs if (lacking := need.missing(names))]
    where = f" with {{{matchers(labels)}}}" if labels else ""
    if not missing:
        return Result(Level.OK, f"all that is needed{where}")
    if len(missing) == len(answers):
        hint = "Is it the right store and tenant? Do the labels of metrics_labels stand on any series?"
        text = f"none of the series that are needed{where}: nothing of volumes, containers and services will be seen"
        return Result(Level.WARNING, text, hint)
    watched = [(need.unseen, lacking) for need, lacking in missing if need.watched]
    asked = [(need.unseen, lacking) for need, lacking in missing if not need.watched]
    words = f"will not be seen{where}: {_named(watched)}" if watched else f"all that is watched{where}"
    words += f"; answers will not tell: {_named(asked)}" if asked else ""
    sources = dict.fromkeys(need.source for need, _ in missing if need.watched)
    hint = f"They come from {'; '.join(sources)}." if watched else ""
    return Result(Level.WARNING if watched else Level.OK, words, hint)


def _named(missing: Sequence[tuple[str, Sequence[str]]]) -> str:
    """ "volumes that fill up (no kubelet_volume_stats_capacity_bytes)"."""
    merged: dict[str, list[str]] = {}
    for unseen, names in missing:
        merged.setdefault(unseen, []).extend(names)
    told = [f"{unseen} (no {', '.join(names)})" for unseen, names in merged.items()]
    more = len(told) - MOST_NAMED
    return "; ".join(told[:MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")


def log_checks(settings: Settings) -> tuple[Check, ...]:
    """One check for each store of logs, with the clusters that it holds."""
    if settings.victorialogs is None:
        return ()
    clusters: dict[str, list[str]] = {}
    for part in settings.kubernetes:
        own = settings.store("victorialogs", part.name)
        name = "" if own == settings.victorialogs else part.name
        clusters.setdefault(name, []).append(part.name)
    return tuple(_of_store(name, held) for name, held in (clusters or {"": []}).items())


def _of_store(name: str, clusters: Sequence[str]) -> Check:
    """``name`` is the cluster that has the store for itself, "" for the common one."""
    return Check(f"log fields of {name}" if name else "log fields", lambda systems: _logs(systems, name, clusters))


def _logs(systems: Systems, cluster: str, clusters: Sequence[str]) -> Result:
    """Raises ``UpstreamError``."""
    from tools.victorialogs.client import Period
    from tools.victorialogs.needs import needs

    client = systems.logs_of(cluster)
    assert client is not None, "only asked where it is configured"
    period = Period(systems.clock() - HOUR, systems.clock())
    total = client.count("*", period)
    if not total:
        hint = "Is anything collected? Is it kept under another tenant (victorialogs.tenant in crew.yaml)?"
        return Result(Level.WARNING, "no log line at all in the last hour: no error in any log will be seen", hint)
    fields = client.fields(period)
    held = {"namespace": fields.namespace, "pod": fields.pod, "service": fields.service, "level": fields.levels}
    held |= {"cluster": fields.cluster} if len(clusters) > 1 else {}
    missing = [f"{unseen} (no field for the {role})" for role, unseen in needs().items() if not held.get(role, True)]
    if len(clusters) > 1 and fields.cluster:
        silent = [one for one in clusters if not client.count(fields.of_cluster(one), period)]
        missing += [f"logs of cluster {one} (no line has it)" for one in silent]
    textless = client.count(fields.without_text(), period)
    if textless:
        missing.append(f"what {textless:,} of {total:,} lines say (no field holds their text)")
    if not missing:
        return Result(Level.OK, f"all that is needed, in {total:,} lines of the last hour")
    hint = "victorialogs.fields in crew.yaml names fields of your own; _msg_field tells the store which holds the text."
    return Result(Level.WARNING, f"of {total:,} lines of the last hour, not seen: {'; '.join(missing)}", hint)
