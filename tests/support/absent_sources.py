"""Everything that the product judges by, each with something wrong that is known, and ways to hold back the figures."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from crews.alert_triage import job as alert_triage
from crews.cluster_health import job as cluster_health
from crews.runtime.context import CrewContext
from crews.storage_growth import job as storage_growth
from opscrew.alerts.store import AlertStore
from opscrew.cluster.names import remember
from opscrew.findings.codes import finding
from opscrew.findings.ledger import Ledger
from opscrew.model.run import Run
from opscrew.model.subject import Subject
from tests.support.asking import ask, crew_at, told
from tests.support.http_answers import Answer, Answers, hang, http_answers, status, text, value
from tests.support.kubernetes_api import kubernetes_api
from tests.support.kubernetes_objects import NOW, ago, pod, ready, thing
from tests.support.metrics_answers import MetricsTable
from tests.support.sandboxes import bitbucket_watch
from tests.support.volumes import growing
from tools.victorialogs.client import PATH as LOGS
from tools.victoriametrics.client import QUERY, QUERY_RANGE

GONE, EMPTY, REFUSED = "gone", "empty", "refused"
PARTIAL, LATE, OTHER_TENANT = "partial", "late", "another tenant"
WAYS = (GONE, EMPTY, REFUSED, PARTIAL, LATE, OTHER_TENANT)

SECONDS = 2.0
"""The time limit of a client that hangs; far more than an answer takes on loopback."""


@dataclass(frozen=True)
class Stage:
    """``look`` looks once more and gives what a person then reads; ``hold_back`` takes the figures away; ``known`` are
    the fingerprints or names of what is known to be wrong. ``about`` is a word that names what is no longer seen."""

    look: Callable[[], str]
    hold_back: Callable[[str], None]
    known: Callable[[], set[str]]
    about: str


def _in_words(run: Run) -> str:
    """As `crew run` prints it."""
    return run.summary + (f"\nNo answer from: {', '.join(run.unavailable)}" if run.unavailable else "")


def _open(context: CrewContext) -> set[str]:
    return {entry.fingerprint for entry in Ledger(context.engine, context.clock).open()}


def _serve(store: Answers, answers: MetricsTable | Answer) -> None:
    if isinstance(answers, MetricsTable):
        answers.serve_on(store)
    else:
        store.by_path |= {QUERY: answers, QUERY_RANGE: answers}


@contextmanager
def _cluster(folder: Path, objects: Mapping[str, list[dict[str, Any]]]) -> Iterator[tuple[CrewContext, Answers]]:
    """A cluster with these objects, and its metrics store."""
    with ExitStack() as stack:
        api = stack.enter_context(kubernetes_api())
        store = stack.enter_context(http_answers())
        api.objects |= objects
        settings = {
            "kubernetes": [{"name": "prod", "kubeconfig": str(api.kubeconfig(folder))}],
            "victoriametrics": {"url": store.url, "timeout_seconds": SECONDS},
        }
        yield stack.enter_context(crew_at(NOW, folder, **settings)), store


@contextmanager
def volumes(folder: Path) -> Iterator[Stage]:
    """A volume that is nearly full."""
    mounting = pod("db-0", conditions=ready())
    mounting["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    status_ = {"phase": "Bound", "capacity": {"storage": "100Gi"}}
    claim = thing("PersistentVolumeClaim", "data", metadata={"creationTimestamp": ago(days=200)}, status=status_)
    objects = {"/api/v1/pods": [mounting], "/api/v1/persistentvolumeclaims": [claim]}
    with _cluster(folder, objects) as (context, store):

        def look() -> str:
            return _in_words(storage_growth.run(context))

        def hold_back(way: str) -> None:
            answers: dict[str, MetricsTable | Answer] = {
                GONE: _volume("team", "other", 20),
                EMPTY: MetricsTable(),
                REFUSED: status(401),
                PARTIAL: MetricsTable(partial=True),
                LATE: hang,
                OTHER_TENANT: _volume("theirs", "data", 20),
            }
            _serve(store, answers[way])

        _serve(store, _volume("team", "data", 99.9))
        yield Stage(look, hold_back, lambda: _open(context), "volumes")


def _volume(namespace: str, name: str, used: float) -> MetricsTable:
    labels, gib = {"namespace": namespace, "persistentvolumeclaim": name}, 2**30
    return MetricsTable(
        now={
            "kubelet_volume_stats_used_bytes": [(labels, used * gib)],
            "kubelet_volume_stats_capacity_bytes": [(labels, 100 * gib)],
            "kubelet_volume_stats_available_bytes": [(labels, (100 - used) * gib)],
        },
        past={"kubelet_volume_stats_used_bytes": [(labels, [day * gib for day in growing(used, 1)])]},
    )


@contextmanager
def throttling(folder: Path) -> Iterator[Stage]:
    """A container that is held back in most of its periods."""
    limited = pod("db-0", conditions=ready())
    limited["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "500m"}}
    with _cluster(folder, {"/api/v1/pods": [limited]}) as (context, store):

        def look() -> str:
            return _in_words(cluster_health.run(context))

        def hold_back(way: str) -> None:
            answers: dict[str, MetricsTable | Answer] = {
                GONE: MetricsTable(now={"container_cpu_usage_seconds_total": [(_container("team"), 0.1)]}),
                EMPTY: MetricsTable(),
                REFUSED: status(401),
                PARTIAL: MetricsTable(partial=True),
                LATE: hang,
                OTHER_TENANT: _throttled("theirs", 0.0),
            }
            _serve(store, answers[way])

        _serve(store, _throttled("team", 0.9))
        yield Stage(look, hold_back, lambda: _open(context), "CPU throttling")


def _container(namespace: str) -> dict[str, str]:
    return {"namespace": namespace, "pod": "db-0", "container": "app"}


def _throttled(namespace: str, share: float) -> MetricsTable:
    labels = _container(namespace)
    return MetricsTable(
        now={
            "container_cpu_cfs_throttled_periods_total": [(labels, share)],
            "container_cpu_cfs_periods_total": [(labels, 18_000.0)],
            "container_cpu_usage_seconds_total": [(labels, 0.5)],
        }
    )


@contextmanager
def logs(folder: Path) -> Iterator[Stage]:
    """Errors in the logs of a workload, and a finding about it."""
    with http_answers() as store:
        settings = {"victorialogs": {"url": store.url, "timeout_seconds": SECONDS}, "kubernetes": [{"name": "prod"}]}
        with crew_at(NOW, folder, **settings) as context:
            _known(context, "checkout")

            def look() -> str:
                answer = ask(context, "log errors of checkout")
                return f"{answer.text}\n{told(answer)}"

            def hold_back(way: str) -> None:
                answers: dict[str, Answer] = {
                    GONE: _log_store(("_msg", "_time"), ""),
                    EMPTY: text(""),
                    REFUSED: status(401),
                    PARTIAL: status(502, "cannot reach some of the storage nodes"),
                    LATE: hang,
                    OTHER_TENANT: _log_store(("_msg", "_time", "pod"), '{"pod":"their-app-0","total":"9","hits":"4"}'),
                }
                store.by_path[LOGS] = answers[way]

            mine = '{"pod":"checkout-7f9c6d5b4d-x2k4q","total":"800","hits":"30"}'
            store.by_path[LOGS] = _log_store(("_msg", "_time", "pod"), mine)
            yield Stage(look, hold_back, lambda: _open(context), "log")


def _log_store(fields: tuple[str, ...], tallies: str) -> Answer:
    """A store with these fields and these counts by source."""
    names = "\n".join(f'{{"name":"{name}","hits":"9"}}' for name in fields)
    pieces = {"| field_names": names, "| stats by (": tallies, "| stats count()": '{"hits":"0"}'}

    def answer(handler: Any, request: Any) -> None:
        found = next((one for piece, one in pieces.items() if piece in request.values["query"]), "")
        if not tallies and "| stats by (" in request.values["query"]:
            found = '{"total":"9","hits":"4"}'
        text(found)(handler, request)

    return answer


def _known(context: CrewContext, workload: str) -> None:
    """The cluster has the workload, and something is wrong with it."""
    remember(context.engine, "prod", [("Deployment", "shop", workload)], ["Deployment"])
    subject = Subject(system="kubernetes", kind="Deployment", scope="prod/shop", name=workload)
    wrong = finding("DEPLOYMENT_UNAVAILABLE", subject, "One of two pods is ready.")
    Ledger(context.engine, context.clock).observe("test", [wrong], complete=True)


@contextmanager
def questions(folder: Path) -> Iterator[Stage]:
    """The figures of a workload that people ask about, and a finding about it."""
    with http_answers() as store:
        settings = {"victoriametrics": {"url": store.url, "timeout_seconds": SECONDS}, "kubernetes": [{"name": "prod"}]}
        with crew_at(NOW, folder, **settings) as context:
            _known(context, "checkout")

            def look() -> str:
                return ask(context, "how much CPU does checkout use?").text

            def hold_back(way: str) -> None:
                answers: dict[str, Answer] = {
                    GONE: _cpu_of("cart"),
                    EMPTY: _cpu_of(),
                    REFUSED: status(401),
                    PARTIAL: _cpu_of(partial=True),
                    LATE: hang,
                    OTHER_TENANT: _cpu_of("their-app"),
                }
                _serve(store, answers[way])

            _serve(store, _cpu_of("checkout"))
            yield Stage(look, hold_back, lambda: _open(context), "victoriametrics")


def _cpu_of(*workloads: str, partial: bool = False) -> Answer:
    rows = [
        {"metric": {"namespace": "shop", "workload": name}, "values": [[NOW.timestamp(), "0.5"]]} for name in workloads
    ]
    return value({"status": "success", "isPartial": partial, "data": {"resultType": "matrix", "result": rows}})


@contextmanager
def alerts(folder: Path) -> Iterator[Stage]:
    """An alert that fires in vmalert."""
    with ExitStack() as stack:
        server = stack.enter_context(http_answers())
        settings = {"vmalert": {"url": server.url, "timeout_seconds": SECONDS}}
        with crew_at(NOW, folder, **settings) as context:
            store = AlertStore(context.engine, context.clock)

            def look() -> str:
                return _in_words(alert_triage.run(context))

            def hold_back(way: str) -> None:
                broken = {"health": "err", "lastError": "the datasource answered 401"}
                foreign = {"health": "err", "lastError": "no such tenant"}
                answers: dict[str, Callable[[], None]] = {
                    GONE: lambda: _rules(server, [], broken),
                    EMPTY: lambda: server.by_path.update({RULES: _data("groups", []), ALERTS: _data("alerts", [])}),
                    REFUSED: lambda: server.by_path.update({RULES: status(401), ALERTS: status(401)}),
                    PARTIAL: lambda: server.by_path.update({ALERTS: value({"status": "success", "data": None})}),
                    LATE: lambda: server.by_path.update({ALERTS: hang}),
                    OTHER_TENANT: lambda: _rules(server, [], foreign, "TheirRule", "DiskFull"),
                }
                answers[way]()

            began = (NOW - timedelta(hours=1)).isoformat()
            labels = {"alertname": "DiskFull", "severity": "critical", "namespace": "shop"}
            firing = {"id": "1", "name": "DiskFull", "state": "firing", "activeAt": began, "labels": labels}
            _rules(server, [firing], {})
            yield Stage(look, hold_back, lambda: {one.name for one in store.firing()}, "vmalert")


RULES, ALERTS = "/api/v1/rules", "/api/v1/alerts"


def _data(name: str, found: list[Any]) -> Answer:
    return value({"status": "success", "data": {name: found}})


def _rules(server: Answers, firing: list[Any], changes: Mapping[str, str], *names: str) -> None:
    whole = {"type": "alerting", "health": "ok", "lastEvaluation": NOW.isoformat(), **changes}
    rules = [{"name": name, **whole} for name in names or ("DiskFull",)]
    server.by_path |= {RULES: _data("groups", [{"name": "g", "rules": rules}]), ALERTS: _data("alerts", firing)}


@contextmanager
def pipelines(folder: Path) -> Iterator[Stage]:
    """A build that failed by its own code."""
    with bitbucket_watch(folder) as watch:
        for slug in ("shop", "search"):
            watch.world.add_repository(slug)
        watch.world.push("shop", "failing")

        def look() -> str:
            # All repositories are listed once a day.
            return "\n".join(_in_words(watch.round(minutes)) for minutes in (61, 25 * 60, 61))

        def hold_back(way: str) -> None:
            world = watch.world
            if way == EMPTY:
                world.repositories.clear()
            elif way == OTHER_TENANT:
                world.repositories.clear()
                world.add_repository("theirs")
            elif way == GONE:
                world.repositories["shop"].runs.clear()
            else:
                kind = {REFUSED: "refused", PARTIAL: "truncated", LATE: "drop_before"}[way]
                world.faults.add(kind, path="/shop/", times=-1, status=403)

        yield Stage(look, hold_back, lambda: _open(watch.context), "repositories")


SOURCES: tuple[Callable[[Path], AbstractContextManager[Stage]], ...] = (
    volumes,
    throttling,
    logs,
    questions,
    alerts,
    pipelines,
)

SAYS_SO = re.compile(r"(?:not|partly) measured|no answer|could not be read|no log lines? |cannot be told", re.I)
TOLD_AS_WELL = re.compile(r"all clear|nothing (?:is )?wrong|\b0 error lines|\b[1-9]\d* resolved|no finding", re.I)


def mistakes(source: Callable[[Path], AbstractContextManager[Stage]], way: str, folder: Path) -> list[str]:
    """What is wrong in two looks at figures that are held back so: a finding that is over, a gap that is not named, or
    a word that all is well. Each with what a person reads."""
    found = []
    with source(folder) as stage:
        stage.look()
        known = stage.known()
        if not known:
            found.append("nothing was known to be wrong in the first place")
        stage.hold_back(way)
        for _ in range(2):
            text = stage.look()
            found += [f"no longer known: {one}; {text}" for one in known - stage.known()]
            if not SAYS_SO.search(text) or stage.about not in text:
                found.append(f"does not name what is not seen: {text}")
            if TOLD_AS_WELL.search(text):
                found.append(f"told as well: {text}")
    return found
