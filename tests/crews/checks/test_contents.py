"""What the doctor says of stores that answer and do not hold what is needed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

import pytest

from crews.checks.check import Level, Result
from crews.checks.contents import log_checks, series_checks
from crews.runtime.systems import Systems
from opscrew.errors import CrewError
from opscrew.metrics import Metrics
from opscrew.settings import Settings
from tests.support.http_answers import Answer, http_answers, text, value
from tools.victorialogs.client import PATH
from tools.victoriametrics.client import QUERY
from tools.victoriametrics.series import needs

NOW = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)
ALL = {name for need in needs().values() for name in need.names}
TWO = [{"name": name, "metrics_labels": {"cluster": name}} for name in ("prod", "test")]


def holding(names: Collection[str], condition: str = "") -> Answer:
    """A store with these series, of which those with another label are none."""

    def answer(handler: Any, request: Any) -> None:
        query = request.values["query"]
        found = [
            {"metric": {"__name__": one}, "value": [0, "3"]} for one in names if one in query and condition in query
        ]
        value({"status": "success", "data": {"resultType": "vector", "result": found}})(handler, request)

    return answer


def results(store: str, answer: Answer, **settings: Any) -> dict[str, Result]:
    with http_answers() as answers:
        answers.by_path |= {QUERY: answer, PATH: answer}
        built = Settings(**{store: {"url": answers.url}, **settings})
        checks = (*series_checks(built), *log_checks(built))
        with Systems(built, lambda: NOW, Metrics()) as systems:
            return {check.name: check.look(systems) for check in checks}


def test_a_store_with_everything_is_well() -> None:
    found = results("victoriametrics", holding(ALL))
    assert (found["series"].level, found["series"].text) == (Level.OK, "all that is needed")


def test_a_store_that_answers_and_holds_nothing_is_not_well() -> None:
    found = results("victoriametrics", holding(()))["series"]
    assert found.level is Level.WARNING
    assert "none of the series that are needed: nothing of volumes, containers and services will be seen" in found.text


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("container_cpu_cfs_periods_total", "containers that their CPU limit holds back (no container_cpu_cfs_periods"),
        ("kubelet_volume_stats_capacity_bytes", "volumes that fill up (no kubelet_volume_stats_capacity_bytes)"),
        ("kubelet_volume_stats_inodes", "volumes that run out of inodes (no kubelet_volume_stats_inodes)"),
    ],
)
def test_what_is_missing_is_named_with_what_nobody_will_see(missing: str, words: str) -> None:
    found = results("victoriametrics", holding(ALL - {missing}))["series"]
    assert (found.level, words in found.text) == (Level.WARNING, True)
    assert "kubelet" in found.hint


def test_one_of_several_names_is_enough_and_what_only_questions_need_is_no_warning() -> None:
    found = results("victoriametrics", holding(ALL - {"kubelet_volume_stats_used_bytes"}))["series"]
    assert found.text == "all that is needed"
    found = results("victoriametrics", holding(ALL - {"node_cpu_seconds_total"}))["series"]
    assert (found.level, "how busy nodes are (no node_cpu_seconds_total)" in found.text) == (Level.OK, True)


def test_each_cluster_is_asked_with_its_own_labels() -> None:
    found = results("victoriametrics", holding(ALL, 'cluster="prod"'), kubernetes=TWO)
    assert found["series of prod"].level is Level.OK
    assert found["series of test"].level is Level.WARNING
    assert 'with {cluster="test"}' in found["series of test"].text


def test_a_cluster_whose_series_nobody_can_tell_apart_is_an_error() -> None:
    with pytest.raises(CrewError, match="it is not known which series"):
        results("victoriametrics", holding(ALL), kubernetes=[{"name": "prod"}, {"name": "test"}])


def log_store(fields: Collection[str], *, total: int = 900, textless: int = 0, cluster: str = "") -> Answer:
    """A store of that many lines, with these fields."""

    def answer(handler: Any, request: Any) -> None:
        query = request.values["query"]
        if "| field_names" in query:
            rows = "\n".join(f'{{"name":"{name}","hits":"9"}}' for name in fields)
        elif "missing _msg field" in query:
            rows = f'{{"hits":"{textless}"}}'
        elif ':="' in query:
            rows = f'{{"hits":"{total if cluster and cluster in query else 0}"}}'
        else:
            rows = f'{{"hits":"{total}"}}'
        text(rows)(handler, request)

    return answer


USUAL = ("kubernetes.pod_namespace", "kubernetes.pod_name", "service", "level", "_msg", "_time")


def test_logs_with_the_usual_fields_are_well() -> None:
    found = results("victorialogs", log_store(USUAL))["log fields"]
    assert (found.level, found.text) == (Level.OK, "all that is needed, in 900 lines of the last hour")


def test_an_empty_store_of_logs_is_not_well() -> None:
    found = results("victorialogs", log_store((), total=0))["log fields"]
    assert (found.level, "no log line at all in the last hour" in found.text) == (Level.WARNING, True)
    assert "another tenant" in found.hint


def test_a_field_that_no_line_has_is_named_with_what_nobody_will_see() -> None:
    found = results("victorialogs", log_store(("_msg", "level", "namespace"), textless=7))["log fields"]
    assert found.level is Level.WARNING
    assert "logs of one pod or workload (no field for the pod)" in found.text
    assert "what 7 of 900 lines say (no field holds their text)" in found.text


def test_clusters_of_one_store_are_looked_for_among_its_lines() -> None:
    found = results("victorialogs", log_store(USUAL), kubernetes=TWO)["log fields"]
    assert "from which of several clusters an entry comes (no field for the cluster)" in found.text
    found = results("victorialogs", log_store((*USUAL, "cluster"), cluster='"prod"'), kubernetes=TWO)["log fields"]
    assert "logs of cluster test (no line has it)" in found.text
    assert "logs of cluster prod" not in found.text


def test_nothing_is_asked_where_no_store_is_configured() -> None:
    assert (series_checks(Settings()), log_checks(Settings())) == ((), ())
