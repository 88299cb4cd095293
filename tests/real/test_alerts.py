"""A real Alertmanager reports to a real daemon, is asked by it, and silenced; vmalert raises a real rule."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine

from crews.actions.silence_alert import SilenceAlert
from crews.alert_triage.diagnostics import Case, log_changes, value_then_and_now
from crews.alert_triage.polling import poll
from crews.runtime.context import CrewContext
from crews.runtime.systems import Systems
from opscrew.alerts.asides import left_out_of
from opscrew.alerts.store import AlertStore
from opscrew.clock import utc_now
from opscrew.metrics import Metrics
from opscrew.model.action import Action
from opscrew.model.subject import Subject
from opscrew.settings import Settings
from opscrew.store.database import open_database
from tests.support.daemon import CREW, Daemon
from tests.support.victoria import alertmanager, victoria_logs, victoria_metrics, vmalert, write_logs, write_samples

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]

TOKEN = "a-token-of-this-test"
RULES = """
groups:
  - name: shop
    rules:
      - alert: QueueLong
        expr: queue_length > 10
        labels: {severity: critical}
        annotations: {summary: "{{ $labels.pod }} has {{ $value }} waiting"}
"""


def until(check: Callable[[], bool], seconds: float = 60) -> None:
    ends = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.3)


def config(url: str) -> str:
    return f"""
route: {{receiver: crew, group_by: [alertname], group_wait: 1s, group_interval: 1s, repeat_interval: 1h}}
receivers:
  - name: crew
    webhook_configs:
      - url: {url}/webhooks/alertmanager
        send_resolved: true
        http_config: {{authorization: {{credentials: {TOKEN}}}}}
"""


def tell(url: str, ends: datetime, *pods: str, began: datetime | None = None) -> None:
    alerts = []
    for pod in pods or ("web-1",):
        labels = {"alertname": "PodsRestart", "namespace": "shop", "pod": pod, "severity": "page"}
        alert = {"labels": labels, "endsAt": ends.isoformat(), "annotations": {"summary": f"{pod} restarts"}}
        alerts.append(alert | ({"startsAt": began.isoformat()} if began else {}))
    httpx.post(f"{url}/api/v2/alerts", json=alerts, timeout=60, trust_env=False).raise_for_status()


def test_an_alert_arrives_by_webhook_and_so_does_its_end(tmp_path: Path) -> None:
    environment = {"CREW_ALERTS__WEBHOOK_TOKEN": TOKEN}
    with (
        Daemon(tmp_path / "data", environment, CREW) as daemon,
        alertmanager(tmp_path, config(daemon.url)) as url,
    ):
        tell(url, datetime.now(UTC) + timedelta(minutes=5))
        store = AlertStore(open_database(f"sqlite:///{daemon.folder / 'crew.db'}"), utc_now)
        until(lambda: len(store.firing()) == 1)
        (alert,) = store.firing()
        assert (alert.name, alert.severity.value) == ("PodsRestart", "critical")
        held = httpx.get(f"{url}/api/v2/alerts", timeout=60, trust_env=False).json()
        assert alert.sources == {"alertmanager": held[0]["fingerprint"]}
        tell(url, datetime.now(UTC))
        until(lambda: store.firing() == ())


def test_what_alertmanager_cuts_is_counted_and_firing_again_is_heard(tmp_path: Path) -> None:
    environment = {"CREW_ALERTS__WEBHOOK_TOKEN": TOKEN}
    with Daemon(tmp_path / "data", environment, CREW) as daemon:
        cutting = config(daemon.url).replace("send_resolved: true", "send_resolved: true\n        max_alerts: 2")
        with alertmanager(tmp_path, cutting) as url:
            store = AlertStore(open_database(f"sqlite:///{daemon.folder / 'crew.db'}"), utc_now)
            began = datetime.now(UTC) - timedelta(minutes=3)
            tell(url, datetime.now(UTC) + timedelta(minutes=5), *(f"web-{n}" for n in range(5)), began=began)
            until(lambda: len(store.firing()) == 2)
            assert {left_out_of(one.annotations) for one in store.firing()} == {(3, 2)}
            tell(url, datetime.now(UTC), *(f"web-{n}" for n in range(5)), began=began)
            until(lambda: store.firing() == ())
            tell(url, datetime.now(UTC) + timedelta(minutes=5), "web-0", began=began)
            until(lambda: [one.labels["pod"] for one in store.firing()] == ["web-0"])
            (alert,) = store.firing()
            assert alert.group_id, "it is told again"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_one_alert_told_by_vmalert_and_alertmanager_is_one_and_can_be_silenced(
    tmp_path: Path, database: Engine
) -> None:
    with victoria_metrics(tmp_path) as metrics, alertmanager(tmp_path) as notifier:
        now = datetime.now(UTC)
        labels = {"__name__": "queue_length", "namespace": "shop", "pod": "web-1"}
        write_samples(metrics, [(labels, [(now - timedelta(seconds=5), 40.0), (now + timedelta(seconds=200), 40.0)])])
        write_samples(metrics, [(labels, [(now + timedelta(seconds=n), 40.0) for n in range(0, 200, 10)])])
        with vmalert(tmp_path, RULES, metrics=metrics, notifier=notifier) as rules:
            settings = Settings(data_dir=tmp_path, vmalert={"url": rules}, alertmanager={"url": notifier})
            with Systems(settings, utc_now, Metrics()) as systems:
                context = CrewContext(settings, database, utc_now, Metrics(), systems)
                store = AlertStore(database, utc_now)

                def told_twice() -> bool:
                    assert poll(context, store)[1] == []
                    return [set(one.sources) for one in store.firing()] == [{"vmalert", "alertmanager"}]

                until(told_twice)
                (alert,) = store.firing()
                assert systems.alertmanager is not None
                executor = SilenceAlert(systems.alertmanager, utc_now)
                wanted = silence(alert.sources["alertmanager"])
                assert executor.precondition(wanted) is None
                assert executor.find_sent(wanted, now) is None
                receipt = executor.send(wanted)
                found = executor.find_sent(wanted, now)
                assert found is not None
                assert found.external_id == receipt.external_id
                until(lambda: bool((outcome := executor.outcome(wanted, receipt)) and outcome.succeeded))
                until(lambda: executor.precondition(wanted) == "it is silenced already")
                poll(context, store)
                assert store.firing()[0].silenced
                assert "over" in (executor.precondition(silence("0000")) or "")


def silence(fingerprint: str) -> Action:
    target = Subject(system="alertmanager", kind="alert", name=fingerprint)
    key = f"test/silence/{fingerprint}"
    return Action(kind="silence_alert", target=target, parameters={"minutes": 30}, reason="test", idempotency_key=key)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_lines_that_are_new_and_the_rules_value_are_seen(tmp_path: Path, database: Engine) -> None:
    now = datetime.now(UTC)
    place = {"kubernetes.pod_namespace": "shop", "kubernetes.pod_name": "web-5c9f-x2"}
    entries = [
        {"_time": (now - timedelta(minutes=n)).isoformat(), "_msg": f"error: cache {n} missed", **place}
        for n in range(1, 75)
    ]
    entries += [
        {"_time": (now - timedelta(seconds=n)).isoformat(), "_msg": f"fatal: no route to db {n}", **place}
        for n in range(9)
    ]
    labels = {"__name__": "queue_length", "namespace": "shop", "deployment": "web"}
    with victoria_logs(tmp_path) as logs, victoria_metrics(tmp_path) as metrics:
        write_logs(logs, entries)
        write_samples(metrics, [(labels, [(now + timedelta(seconds=n), 40.0) for n in range(-60, 200, 10)])])
        with vmalert(tmp_path, RULES, metrics=metrics) as rules:
            settings = Settings(
                data_dir=tmp_path, vmalert={"url": rules}, victorialogs={"url": logs}, victoriametrics={"url": metrics}
            )
            with Systems(settings, utc_now, Metrics()) as systems:
                context = CrewContext(settings, database, utc_now, Metrics(), systems)
                store = AlertStore(database, utc_now)
                until(lambda: bool(poll(context, store)) and len(store.firing()) == 1)
                web = Subject(system="kubernetes", kind="Deployment", scope="prod/shop", name="web")
                case = Case(context, store.groups()[0], store.firing(), (web,), now)
                (line,) = log_changes(case).evidence
                assert "no route to db" in line.text
                (value,) = value_then_and_now(case).evidence
                assert value.text == "now 40, an hour before no such series"
