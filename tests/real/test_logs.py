"""Logs as the usual collectors write them, in the real VictoriaLogs: sources, texts, levels, traces, absent names."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.asking import ask, crew_at, told
from tests.support.victoria import victoria_logs, write_logs
from tools.connection import Address
from tools.victorialogs.client import Period, VictoriaLogsClient

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("unhurried")]
LINES = Path(__file__).parent.parent / "tools" / "victorialogs" / "data" / "lines.yaml"

SHIPPERS: Mapping[str, tuple[str, str]] = {
    # Each with its fields for namespace and pod.
    "vector": ("kubernetes.pod_namespace", "kubernetes.pod_name"),
    "fluentbit": ("kubernetes.namespace_name", "kubernetes.pod_name"),
    "lifted": ("kubernetes_namespace_name", "kubernetes_pod_name"),
    "otel": ("k8s.namespace.name", "k8s.pod.name"),
    "otelattributes": ("resource.attributes.k8s.namespace.name", "resource.attributes.k8s.pod.name"),
    "filebeat": ("kubernetes.namespace", "kubernetes.pod.name"),
    "datadog": ("kube_namespace", "pod_name"),
    "promtail": ("namespace", "pod"),
    "remapped": ("namespace", "pod_name"),
    "gcp": ("resource.labels.namespace_name", "resource.labels.pod_name"),
}  # fmt: skip


@pytest.fixture(scope="module")
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with victoria_logs(tmp_path_factory.mktemp("empty")) as url:
        yield url


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, now: datetime) -> Iterator[str]:
    """Ten errors and twenty other lines of each collector, and a few pods with troubles of their own."""
    entries: list[dict[str, Any]] = []

    def write(second: float, text: str, more: Mapping[str, Any]) -> None:
        entries.append(
            {"_time": (now - timedelta(minutes=10) + timedelta(seconds=second)).isoformat(), "_msg": text, **more}
        )

    for name, (namespace, pod) in SHIPPERS.items():
        source = {namespace: f"{name}-ns", pod: f"{name}-7f9c6d5b4d-x2k4q"}
        for i in range(10):
            write(i, f"ERROR {name} payment {i} declined", source)
            write(i, f"INFO request {i} done", source)
            write(i, f"request {i} done, errors: 0", source)
    for i in range(5):
        rows = [
            "Traceback (most recent call last):",
            '  File "/app/pay.py", line 12, in charge',
            "    order = orders[key]",
            "            ~~~~~~^^^^^",
        ]
        for place, row in enumerate([*rows, "KeyError: 'user_id'"]):
            write(20 * i + place / 1000, row, {"namespace": "kilo-ns", "pod": "kilo-7f9c6d5b4d-x2k4q"})
        for place, row in enumerate([*rows, "shop.declined.CardDeclined: card 7"]):
            write(20 * i + place / 1000, row, {"namespace": "mike-ns", "pod": "mike-7f9c6d5b4d-x2k4q"})
        write(
            i, "\n".join([*rows, "shop.declined.CardDeclined: card 7"]), {"namespace": "sierra-ns", "pod": "sierra-0"}
        )
        write(i, "", {"message": f"payment {i} declined: card expired", "level": "error", "pod": "lima-0"})
        write(i, "", {"text.of.it": f"payment {i} declined", "level": "error", "pod": "oscar-0"})
        write(i, f"payment {i} declined", {"level": "error", "host.unit": "papa"})
        write(i, "GET /cart 200", {"namespace": "quebec-ns", "pod": "quebec-0"})
    with victoria_logs(tmp_path_factory.mktemp("logs")) as url:
        write_logs(url, [{key: value for key, value in one.items() if value} for one in entries])
        until_there(url, len(entries), now)
        yield url


def until_there(url: str, count: int, now: datetime) -> None:
    ends = time.monotonic() + 120
    with closing(VictoriaLogsClient(Address(url, timeout_seconds=60))) as logs:
        while logs.count("*", Period(now - timedelta(hours=1), now)) < count:
            assert time.monotonic() < ends


def asked(url: str, question: str, now: datetime, folder: Path, **more: Any) -> str:
    with crew_at(now, folder, victorialogs={"url": url, "timeout_seconds": 60, **more}) as crew:
        return told(ask(crew, question))


@pytest.mark.parametrize("shipper", SHIPPERS)
def test_lines_of_a_pod_are_found_whichever_collector_wrote_them(store: str, now, tmp_path, shipper: str) -> None:
    text = asked(store, f"show the errors in the logs of {shipper}", now, tmp_path)
    assert f"10 error lines of {shipper} " in text
    assert "of 30 lines" in text
    assert f"10 times: ERROR {shipper} payment <N> declined" in text
    assert f"come from {shipper}-7f9c6d5b4d-x2k4q (10)" in text
    hour = Period(now - timedelta(hours=1), now)
    with closing(VictoriaLogsClient(Address(store, timeout_seconds=60))) as logs:
        fields = logs.fields(hour)
        filters = (
            fields.of_pod(f"{shipper}-ns", f"{shipper}-7f9c6d5b4d-x2k4q"),
            fields.of_workload(f"{shipper}-ns", shipper),
            fields.in_namespace(f"{shipper}-ns"),
            fields.of_anything(f"{shipper}-ns"),
        )
        assert [logs.count(f"{one} {fields.failures()}", hour) for one in filters] == [10, 10, 10, 10]
        assert logs.count(fields.of_pod(f"{shipper}-ns", '" or *'), hour) == 0


def test_a_trace_that_came_line_by_line_is_told_by_what_went_wrong(store: str, now, tmp_path) -> None:
    text = asked(store, "show the errors in the logs of kilo", now, tmp_path)
    assert "5 error lines of kilo" in text
    assert "5 times: KeyError: 'user_id'" in text
    assert "kilo-7f9c6d5b4d-x2k4q: KeyError: 'user_id'" in text
    unusual = asked(store, "show the errors in the logs of mike", now, tmp_path)
    assert "5 error lines of mike" in unusual
    assert "a trace ends with: shop.declined.CardDeclined: card 7" in unusual
    assert "Traceback" not in unusual


def test_a_trace_in_one_entry_begins_with_what_went_wrong(store: str, now, tmp_path) -> None:
    text = asked(store, "show the errors in the logs of sierra", now, tmp_path)
    assert "5 times: shop.declined.CardDeclined: card <N> (Traceback (most recent call last):" in text


def test_the_text_is_found_where_the_store_was_not_told_its_field(store: str, now, tmp_path) -> None:
    text = asked(store, "show the errors in the logs of lima", now, tmp_path)
    assert "5 times: payment <N> declined: card expired" in text
    assert "missing _msg" not in text
    nowhere = asked(store, "show the errors in the logs of oscar", now, tmp_path)
    assert "5 of them have no text: the store was not told which field holds it" in nowhere
    assert "missing _msg" not in nowhere
    named = asked(store, "show the errors in the logs of oscar", now, tmp_path, fields={"message": ["text.of.it"]})
    assert "5 times: payment <N> declined" in named


def test_a_field_of_ones_own_is_named_in_the_settings(store: str, now, tmp_path) -> None:
    unknown = asked(store, "show the errors in the logs of papa", now, tmp_path)
    assert "called papa" in unknown
    named = asked(store, "show the errors in the logs of papa", now, tmp_path, fields={"service": ["host.unit"]})
    assert "5 error lines of papa" in named


def test_absent_and_quiet_are_two_things(store: str, empty: str, now, tmp_path) -> None:
    quiet = asked(store, "show the errors in the logs of quebec", now, tmp_path)
    assert "no error lines of quebec" in quiet
    assert "0 of 5 lines" in quiet
    absent = asked(store, "show the errors in the logs of foxtrot", now, tmp_path)
    assert "called foxtrot" in absent
    assert "error lines" not in absent
    near = asked(store, "show the errors in the logs of promtial", now, tmp_path)
    assert "called promtial" in near or "10 error lines of promtail" in near
    nothing = asked(empty, "show me the errors in the logs", now, tmp_path)
    assert "the store holds no log lines at all" in nothing
    assert "0 error lines" not in nothing


def test_the_server_judges_lines_as_we_do(now: datetime, tmp_path) -> None:
    groups = yaml.safe_load(LINES.read_text(encoding="utf-8"))
    entries: list[dict[str, Any]] = []
    for kind in ("failures", "harmless"):
        given: Sequence[Any] = [entry for group in groups for entry in group.get(kind, ())]
        for entry in given:
            text, fields = entry if isinstance(entry, list) else (entry, {})
            at = (now - timedelta(seconds=30)).isoformat()
            entries.append({"_time": at, "_msg": text, "kind": kind, **fields})
    hour = Period(now - timedelta(hours=1), now)
    with victoria_logs(tmp_path) as url, closing(VictoriaLogsClient(Address(url, timeout_seconds=60))) as logs:
        write_logs(url, entries)
        until_there(url, len(entries), now)
        failing = logs.fields(hour).failures()
        missed = logs.lines(f"kind:=failures !{failing}", hour, limit=100).lines
        taken = logs.lines(f"kind:=harmless {failing}", hour, limit=100).lines
    assert [one.message for one in missed] == []
    assert [one.message for one in taken] == []
    assert json.dumps(entries)  # each is as a collector would send it
