"""The webhooks of Alertmanager and Grafana, against a real daemon: tokens, nonsense, and a storm."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine

from opscrew.alerts.store import AlertStore
from opscrew.clock import utc_now
from opscrew.findings.ledger import Ledger
from opscrew.findings.records import LedgerEntry
from opscrew.store.database import open_database
from opscrew.store.runs import latest_runs
from tests.support.daemon import CREW, PATIENCE, Daemon, until

TOKEN = "a-token-of-this-test"
ALERTS = 5_000
BATCH = 50
KILOBYTES = 1024
CLIENT = httpx.Client(timeout=PATIENCE, trust_env=False)
"""One for all: making one costs more than a delivery."""


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    # Without the index of documents, which borrows 200 MB and half a minute of a busy machine when it is first made.
    environment = {"CREW_ALERTS__WEBHOOK_TOKEN": TOKEN, "CREW_MEMORY__EMBEDDING": "none"}
    with Daemon(tmp_path / "data", environment, CREW) as running:
        yield running


def body(*labels: dict[str, str], status: str = "firing") -> bytes:
    now = datetime.now(UTC).isoformat()
    return json.dumps({"alerts": [{"status": status, "labels": one, "startsAt": now} for one in labels]}).encode()


def post(daemon: Daemon, source: str, content: bytes, token: str = f"Bearer {TOKEN}") -> httpx.Response:
    headers = {"Authorization": token} if token else {}
    return CLIENT.post(f"{daemon.url}/webhooks/{source}", content=content, headers=headers)


def told(daemon: Daemon, code: str) -> list[LedgerEntry]:
    engine = open_database(f"sqlite:///{daemon.folder / 'crew.db'}")
    try:
        return [one for one in Ledger(engine, utc_now).open() if one.finding.code == code]
    finally:
        engine.dispose()


def test_only_the_token_opens_and_nonsense_becomes_a_finding(daemon: Daemon) -> None:
    one = body({"alertname": "A"})
    assert post(daemon, "alertmanager", one, "").status_code == 401
    assert post(daemon, "alertmanager", one, "Bearer wrong").status_code == 401
    assert post(daemon, "grafana", one, "Basic bm9ib2R5Og==").status_code == 401
    assert post(daemon, "unknown", one).status_code == 404
    for content in (b"", b"{", b"[]", b'{"alerts":[{}]}', b"\x00\xff", b'{"alerts":' + b"[" * 2_000):
        assert post(daemon, "grafana", content).status_code == 400
    assert post(daemon, "grafana", b" " * 600_000, "Bearer wrong").status_code == 413
    assert post(daemon, "grafana", b" " * 600_000).status_code == 400  # who shows the token may send a storm
    assert post(daemon, "alertmanager", one).status_code == 202
    assert CLIENT.post(f"{daemon.url}/webhooks/alertmanager", content=one, auth=("crew", TOKEN)).status_code == 202
    until(lambda: bool(told(daemon, "ALERT_WEBHOOK_MALFORMED")), daemon.log)
    (finding,) = told(daemon, "ALERT_WEBHOOK_MALFORMED")
    assert finding.finding.subject.name == "grafana"
    assert TOKEN not in daemon.log()


def test_five_thousand_alerts_in_a_minute_are_one_notice_and_little_memory(daemon: Daemon) -> None:
    post(daemon, "alertmanager", body({"alertname": "Warm"}))
    until(lambda: "remembering" in ended_runs(daemon), daemon.log)
    before = memory(daemon)
    for start in range(0, ALERTS, BATCH):
        labels = [
            {"alertname": f"Rule{n % 500}", "namespace": f"ns{n % 40}", "pod": f"pod-{n}", "node": "n7"}
            for n in range(start, start + BATCH)
        ]
        assert post(daemon, "alertmanager", body(*labels)).status_code == 202

    def is_told() -> bool:
        post(daemon, "alertmanager", body({"alertname": "More", "n": str(time.monotonic())}))  # wakes the crew again
        return _all_in_one(told(daemon, "ALERT_STORM"))

    until(is_told, daemon.log)
    (storm,) = told(daemon, "ALERT_STORM")
    assert ["node=n7", ALERTS] in storm.finding.details["common"]
    assert len(told(daemon, "ALERT_FIRING")) <= 1  # the one from before the storm
    grown = memory(daemon) - before
    assert grown < 100, grown


def test_a_storm_in_one_delivery_is_taken_whole(daemon: Daemon) -> None:
    """Alertmanager puts a whole group into one request, and does not send again what was refused."""
    labels = [
        {"alertname": "HostDown", "pod": f"pod-{n}", "node": "n7", "description": "x" * 300} for n in range(ALERTS)
    ]
    assert post(daemon, "alertmanager", body(*labels)).json() == {"status": "accepted", "detail": f"{ALERTS} alerts"}
    until(lambda: _all_in_one(told(daemon, "ALERT_STORM")), daemon.log)
    assert told(daemon, "ALERT_FIRING") == []


def test_what_was_acknowledged_survives_a_kill(daemon: Daemon) -> None:
    assert post(daemon, "grafana", body({"alertname": "Kept"})).status_code == 202
    daemon.process.kill()
    daemon.process.wait()
    engine = create_engine(f"sqlite:///{daemon.folder / 'crew.db'}")
    assert [one.name for one in AlertStore(engine, utc_now).list()] == ["Kept"]
    engine.dispose()


def _all_in_one(found: list[LedgerEntry]) -> bool:
    details: Any = found[0].finding.details if found else {}
    return bool(details) and details["alerts"] >= ALERTS


def ended_runs(daemon: Daemon) -> set[str]:
    engine = create_engine(f"sqlite:///{daemon.folder / 'crew.db'}")
    try:
        return {run.crew for run in latest_runs(engine)}
    finally:
        engine.dispose()


def memory(daemon: Daemon) -> float:
    """Resident megabytes of the daemon."""
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / KILOBYTES
