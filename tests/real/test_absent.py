"""What is not measured, asked of the real VictoriaMetrics, VictoriaLogs and vmalert."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from crews.checks.check import Level, Result
from crews.checks.contents import log_checks, series_checks
from crews.runtime.systems import Systems
from opscrew.alerts.unknown import alert_subject, unknown_to_rules
from opscrew.clock import utc_now
from opscrew.metrics import Metrics
from opscrew.model.coverage import is_hidden
from opscrew.settings import Settings
from tests.support.victoria import victoria_logs, victoria_metrics, vmalert, write_samples
from tools.victoriametrics.series import needs

pytestmark = pytest.mark.real

RULES = """
groups:
- name: g
  interval: 1s
  rules:
  - {alert: MemoryHigh, expr: "mem > 80"}
  - {alert: MemoryFine, expr: "mem > 99"}
  - {alert: NoSuchSeries, expr: "nothing_of_the_kind > 80"}
  - {alert: NotForLong, expr: "mem > 80", for: 10m}
"""


def looked(settings: Settings) -> dict[str, Result]:
    with Systems(settings, utc_now, Metrics()) as systems:
        return {check.name: check.look(systems) for check in (*series_checks(settings), *log_checks(settings))}


def until(asked: Callable[[], dict[str, Result]], name: str, level: Level) -> Result:
    ends = time.monotonic() + 30
    while (found := asked()[name]).level is not level and time.monotonic() < ends:
        time.sleep(0.5)
    return found


def test_the_doctor_asks_the_real_stores(tmp_path: Path) -> None:
    with victoria_metrics(tmp_path) as metrics, victoria_logs(tmp_path) as logs:
        clusters = [{"name": name, "metrics_labels": {"cluster": name}} for name in ("prod", "test")]
        settings = Settings(kubernetes=clusters, victoriametrics={"url": metrics}, victorialogs={"url": logs})
        empty = looked(settings)
        assert {found.level for found in empty.values()} == {Level.WARNING}
        assert "no log line at all" in empty["log fields"].text
        now = utc_now()
        write_samples(metrics, [({**_labels(), "__name__": name}, _points(now)) for name in _all_names()])
        names = {"pod": "web-1", "namespace": "shop", "service": "web", "level": "info"}
        lines = [{"_time": now.isoformat(), "_msg": "hello", "cluster": name, **names} for name in ("prod", "test")]
        httpx.post(f"{logs}/insert/jsonline", content="\n".join(map(json.dumps, lines))).raise_for_status()
        assert (
            until(lambda: looked(settings), "series of prod", Level.OK).text
            == 'all that is needed with {cluster="prod"}'
        )
        assert until(lambda: looked(settings), "log fields", Level.OK).level is Level.OK
        assert looked(settings)["series of test"].text.startswith("none of the series that are needed")


def _all_names() -> list[str]:
    return [name for need in needs().values() for name in need.names]


def _labels() -> dict[str, str]:
    return {"cluster": "prod", "namespace": "shop", "pod": "web-1", "container": "app", "persistentvolumeclaim": "data"}


def _points(now: datetime) -> list[tuple[datetime, float]]:
    return [(now - timedelta(seconds=30 * back), 1.0) for back in range(10, -1, -1)]


def test_vmalert_says_of_which_rules_nothing_is_known(tmp_path: Path) -> None:
    with victoria_metrics(tmp_path) as metrics:
        write_samples(metrics, [({"__name__": "mem"}, [(utc_now(), 90.0)])])
        with vmalert(tmp_path, RULES, metrics=metrics) as url:
            settings = Settings(vmalert={"url": url})
            with Systems(settings, utc_now, Metrics()) as systems:
                assert systems.vmalert is not None
                ends = time.monotonic() + 30
                while not systems.vmalert.alerts() and time.monotonic() < ends:
                    time.sleep(0.5)
                time.sleep(2)
                rules = systems.vmalert.rules()
    gaps = unknown_to_rules("vmalert", rules)
    hidden = {rule.name for rule in rules if is_hidden(alert_subject("vmalert", rule.name), gaps)}
    assert hidden == {"NoSuchSeries", "NotForLong"}
