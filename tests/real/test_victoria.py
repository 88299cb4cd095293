"""The clients against the real VictoriaMetrics, vmalert, VictoriaLogs and Alertmanager."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.victoria import alertmanager, victoria_logs, victoria_metrics, vmalert, write_logs, write_samples
from tools.alertmanager.client import AlertmanagerClient
from tools.connection import Address
from tools.errors import PermanentError
from tools.victorialogs.client import Period, VictoriaLogsClient, named_filter
from tools.victoriametrics.client import VictoriaMetricsClient, named_query, queries
from tools.victoriametrics.vmalert import VmalertClient

pytestmark = pytest.mark.real

RULES = """
groups:
  - name: disks
    rules:
      - alert: DiskFilling
        expr: kubelet_volume_stats_used_bytes > 50
        labels: {severity: warning}
        annotations: {summary: "{{ $labels.persistentvolumeclaim }} fills"}
      - record: volumes:count
        expr: count(kubelet_volume_stats_used_bytes)
      - alert: Broken
        expr: label_replace(kubelet_volume_stats_used_bytes, "a", "b", "c", "(") > 0
"""
NOW = datetime.now(UTC).replace(microsecond=0)
LABELS = {"namespace": "shop", "persistentvolumeclaim": "data", "cluster": "prod"}


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with victoria_metrics(tmp_path_factory.mktemp("metrics")) as url:
        days = [(NOW - timedelta(days=day), 100.0 - day) for day in range(40, -1, -1)]
        # NOW is when the tests were collected, perhaps many minutes ago, and vmalert asks for its own present.
        days += [(NOW + timedelta(minutes=minute), 100.0) for minute in range(1, 91)]
        periods = [(NOW - timedelta(minutes=minute), 600.0 * (30 - minute)) for minute in range(30, -1, -1)]
        container = {"namespace": "shop", "pod": "web-1", "container": "app", "cluster": "prod"}
        memory = [(NOW - timedelta(hours=3), 120e6), (NOW, 40e6)]
        held_back = [(at, value / 4) for at, value in periods]
        write_samples(
            url,
            [
                ({"__name__": "kubelet_volume_stats_used_bytes", "node": "a", **LABELS}, days),
                ({"__name__": "kubelet_volume_stats_used_bytes", "node": "b", **LABELS}, [(NOW, 100.0)]),
                ({"__name__": "container_cpu_cfs_periods_total", **container}, periods),
                ({"__name__": "container_cpu_cfs_throttled_periods_total", **container}, held_back),
                ({"__name__": "container_spec_cpu_quota", **container}, [(NOW, 50000.0)]),
                ({"__name__": "container_spec_cpu_period", **container}, [(NOW, 100000.0)]),
                ({"__name__": "container_memory_working_set_bytes", **container}, memory),
            ],
        )
        yield url


@pytest.fixture
def client(metrics: str) -> Iterator[VictoriaMetricsClient]:
    with closing(VictoriaMetricsClient(Address(metrics))) as made:
        yield made


def until(what: Callable[[], Any]) -> Any:
    ends = time.monotonic() + 90
    while not (found := what()):
        assert time.monotonic() < ends, "it did not come in time"
        time.sleep(0.1)
    return found


def test_every_shipped_query_is_understood(client: VictoriaMetricsClient) -> None:
    for name in queries():
        assert client.instant(named_query(name, "15m", {"cluster": 'no"where'}), NOW).samples == ()


def test_present_and_past_of_a_volume(client: VictoriaMetricsClient) -> None:
    samples, times = (
        client.instant(named_query(name, "15m", {"cluster": "prod"}), NOW).samples
        for name in ("volume_figures", "volume_figures_at")
    )
    assert [(one.value, one.labels["node"]) for one in samples] == [(100.0, "a"), (100.0, "b")]
    assert [one.value for one in times] == [NOW.timestamp()] * 2
    assert {one.labels["__name__"] for one in (*samples, *times)} == {"kubelet_volume_stats_used_bytes"}
    query = named_query("volume_used_bytes_peak", "1d")
    (series,) = client.range(query, NOW - timedelta(days=30), NOW, timedelta(days=1)).series
    assert len(series.points) == 31
    assert series.points[-1] == (NOW.timestamp(), 100.0)
    assert series.points[0][0] == (NOW - timedelta(days=30)).timestamp()


def test_throttling_is_a_share_and_the_limit_is_in_cores(client: VictoriaMetricsClient) -> None:
    (share,) = client.instant(named_query("container_throttled_share", "15m"), NOW).samples
    (limit,) = client.instant(named_query("container_cpu_limit", "15m"), NOW).samples
    assert share.value == pytest.approx(0.25)
    assert limit.value == 0.5


def test_the_peak_of_memory_is_that_of_the_day_and_not_the_present_use(client: VictoriaMetricsClient) -> None:
    (peak,) = client.instant(named_query("container_memory_peak", "1d", namespaces=["shop"]), NOW).samples
    assert (peak.value, peak.labels) == (
        120e6,
        {"namespace": "shop", "pod": "web-1", "container": "app", "cluster": "prod"},
    )


def test_a_query_that_is_wrong_is_told_in_the_servers_words(client: VictoriaMetricsClient) -> None:
    with pytest.raises(PermanentError, match="unexpected token"):
        client.instant("sum(")


def test_an_alert_from_its_rule_to_alertmanager_and_a_silence(metrics: str, tmp_path) -> None:
    with (
        alertmanager(tmp_path) as notifier,
        vmalert(tmp_path, RULES, metrics=metrics, notifier=notifier) as url,
        closing(VmalertClient(Address(url))) as rules,
        closing(AlertmanagerClient(Address(notifier))) as routed,
    ):
        firing = until(lambda: [one for one in rules.alerts() if one.is_firing])
        assert {one.annotations["summary"] for one in firing} == {"data fills"}
        by_name = until(lambda: _judged(rules))
        assert (by_name["DiskFilling"].state, by_name["DiskFilling"].group) == ("firing", "disks")
        assert (by_name["Broken"].is_broken, by_name["volumes:count"].type) == (True, "recording")
        assert "missing closing" in by_name["Broken"].last_error
        held = until(routed.alerts)
        assert (held[0].name, held[0].is_suppressed) == ("DiskFilling", False)
        now = datetime.now(UTC)
        identity = routed.silence(
            {"alertname": "DiskFilling"}, now, now + timedelta(hours=1), created_by="crew", comment="a test"
        )
        assert [one.id for one in routed.silences() if one.is_active] == [identity]
        until(lambda: all(one.is_silenced for one in routed.alerts()))
        assert routed.alerts(suppressed=False) == ()
        assert routed.version() == "0.31.1"


def _judged(rules: VmalertClient) -> dict[str, Any]:
    found = {rule.name: rule for rule in rules.rules()}
    return found if all(rule.last_evaluation for rule in found.values()) else {}


def test_logs_are_counted_grouped_and_folded_into_patterns(tmp_path) -> None:
    where = {"kubernetes.pod_namespace": "shop"}
    failed = [
        {"_time": (NOW - timedelta(minutes=i)).isoformat(), "_msg": f"error: order {i} took {i}ms", "level": "error"}
        | {**where, "kubernetes.pod_name": f"web-{i % 2}"}
        for i in range(1, 21)
    ]
    other = {
        "_time": (NOW - timedelta(minutes=2)).isoformat(),
        "_msg": "GET / 200",
        "namespace": "shop",
        "pod": "api-7",
    }
    hour = Period(NOW - timedelta(hours=1), NOW)
    with victoria_logs(tmp_path) as url, closing(VictoriaLogsClient(Address(url))) as logs:
        write_logs(url, [*failed, other])
        until(lambda: logs.count("*", hour) == 21)
        assert logs.count(named_filter("errors"), hour) == 20
        assert logs.count("*", Period(NOW - timedelta(hours=2), NOW - timedelta(hours=1))) == 0
        assert logs.count(named_filter("pod", namespace="shop", name="api-7"), hour) == 1
        assert logs.count(named_filter("workload", namespace="shop", prefix="web-"), hour) == 20
        assert logs.count(named_filter("namespace", namespace="shop"), hour) == 21
        assert logs.count(named_filter("pod", namespace="shop", name='" or *'), hour) == 0
        patterns = logs.patterns(named_filter("errors"), hour)
        assert [(one.text, one.count) for one in patterns] == [("error: order <N> took <N>ms", 20)]
        groups = logs.count_by(named_filter("errors"), hour, ["kubernetes.pod_name"])
        assert sorted((one.values["kubernetes.pod_name"], one.count) for one in groups) == [
            ("web-0", 10),
            ("web-1", 10),
        ]
        latest = logs.lines(named_filter("errors"), hour, fields=["level"], limit=2)
        assert [(one.message, one.fields) for one in latest.lines] == [
            ("error: order 1 took 1ms", {"level": "error"}),
            ("error: order 2 took 2ms", {"level": "error"}),
        ]
        assert latest.cut
        with pytest.raises(PermanentError, match="cannot parse query"):
            logs.count("(((", hour)
