"""A delivery counts once, an old one not at all, and what could not be taken may come again."""

from __future__ import annotations

import hashlib
import hmac
import json
import queue
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, func, select

from crews.runtime.context import CrewContext
from opscrew.alerts.deliveries import all_deliveries, delivery_findings
from opscrew.metrics import Metrics
from opscrew.settings import Settings
from opscrew.store import deliveries
from opscrew.store.deliveries import forget_delivery, note_delivery
from opscrew.store.tables.webhooks import webhook_deliveries
from server.context import ServerContext
from server.http import alert_webhooks, webhooks

SECRET, TOKEN = "a secret of this test", "a-token-of-this-test"
NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


class Receiver:
    """The routes of both kinds of webhook, over a real database, with a clock that the test sets."""

    def __init__(self, database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CREW_BITBUCKET__WEBHOOK_SECRET", SECRET)
        monkeypatch.setenv("CREW_BITBUCKET__WORKSPACE", "acme")
        monkeypatch.setenv("CREW_ALERTS__WEBHOOK_TOKEN", TOKEN)
        self.now = NOW
        self.wakes = True
        self.crews = CrewContext(Settings(), database, lambda: self.now, Metrics(), systems=None)  # type: ignore[arg-type]
        scheduler: Any = SimpleNamespace(wake=lambda _crew: self.wakes)
        context = ServerContext(self.crews, scheduler, NOW)
        application = FastAPI()
        application.include_router(webhooks.router(context))
        application.include_router(alert_webhooks.router(context))
        self.client = TestClient(application)

    def bitbucket(self, at: datetime | None = NOW, name: str = "", **status: str) -> str:
        """Outcome of a failed status that changed then, under that name of the delivery."""
        changed = {"state": "FAILED", "refname": "main"} | status | ({"updated_on": at.isoformat()} if at else {})
        body = json.dumps({"repository": {"full_name": "acme/shop"}, "commit_status": changed}).encode()
        headers = {
            "X-Hub-Signature": "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest(),
            "X-Event-Key": "repo:commit_status_updated",
        }
        answer = self.client.post("/webhooks/bitbucket", content=body, headers=headers | _named(name))
        return f"{answer.status_code} {answer.json()['status']}"

    def alerts(self, *told: dict[str, Any], method: str = "POST") -> httpx.Response:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        body = {"alerts": list(told)}
        return self.client.request(method, "/webhooks/alertmanager", json=body, headers=headers)

    def looks(self) -> int:
        count = 0
        while True:
            try:
                self.crews.woken_by.get_nowait()
            except queue.Empty:
                return count
            count += 1


def _named(name: str) -> dict[str, str]:
    return {"X-Request-UUID": name, "X-Attempt-Number": "2"} if name else {}


@pytest.fixture
def receiver(database: Engine, monkeypatch: pytest.MonkeyPatch) -> Receiver:
    return Receiver(database, monkeypatch)


def test_a_delivery_that_comes_again_is_acknowledged_and_leads_to_nothing(receiver: Receiver) -> None:
    assert receiver.bitbucket(name="a") == "202 accepted"
    assert receiver.bitbucket(name="a") == "202 duplicate"
    assert receiver.bitbucket(name="b") == "202 duplicate"  # the same signed body under a name that is not signed
    assert receiver.bitbucket(NOW + timedelta(seconds=1), name="a") == "202 duplicate"
    assert receiver.looks() == 1
    assert receiver.bitbucket(NOW + timedelta(seconds=1), name="c") == "202 accepted"
    assert receiver.looks() == 1


def test_without_a_time_only_the_name_tells_that_it_came_before(receiver: Receiver) -> None:
    """A pipeline that is run again and fails again is told in the same words."""
    assert receiver.bitbucket(None) == receiver.bitbucket(None) == "202 accepted"
    assert receiver.bitbucket(None, name="a") == "202 accepted"
    assert receiver.bitbucket(None, name="a") == "202 duplicate"


@pytest.mark.parametrize(
    ("age", "outcome"),
    [
        (timedelta(), "202 accepted"),
        (webhooks.OLDEST, "202 accepted"),
        (webhooks.OLDEST + timedelta(seconds=1), "400 refused"),
        (400 * DAY, "400 refused"),
        (-timedelta(minutes=20), "202 accepted"),  # our clock is behind
    ],
)
def test_what_happened_long_ago_is_refused(receiver: Receiver, age: timedelta, outcome: str) -> None:
    assert receiver.bitbucket(NOW - age) == outcome
    assert receiver.looks() == (outcome == "202 accepted")


def test_the_recorded_status_is_read_with_its_time(receiver: Receiver) -> None:
    assert receiver.bitbucket(None, updated_on="2025-03-24T08:49:42.838984+00:00") == "400 refused"
    for odd in ("", "yesterday", "2025-03-24T08:49:42", "0001-01-01T00:00:00+14:00"):
        assert receiver.bitbucket(None, updated_on=odd) == "202 accepted"


def test_what_could_not_be_acted_on_may_come_again(receiver: Receiver) -> None:
    receiver.wakes = False
    assert receiver.bitbucket(name="a") == "503 refused"
    receiver.wakes = True
    assert receiver.bitbucket(name="a") == "202 accepted"


def test_a_database_that_does_not_answer_is_told_to_the_sender(receiver: Receiver, database: Engine) -> None:
    with database.begin() as connection:
        connection.exec_driver_sql("DROP TABLE webhook_deliveries")
    assert receiver.bitbucket(name="a") == "503 refused"
    assert receiver.looks() == 0


def alert(status: str = "firing", ends: datetime | None = None) -> dict[str, Any]:
    times = {"startsAt": (NOW - 30 * DAY).isoformat(), "endsAt": ends.isoformat() if ends else "0001-01-01T00:00:00Z"}
    return {"status": status, "labels": {"alertname": "A"}, **times}


def test_alerts_in_the_same_words_count_once_within_a_minute(receiver: Receiver) -> None:
    assert receiver.alerts(alert()).json()["status"] == "accepted"
    assert receiver.alerts(alert()).json()["status"] == "duplicate"
    receiver.now += timedelta(minutes=2)
    assert receiver.alerts(alert()).json()["status"] == "accepted"  # it goes on, and is told again


def test_the_same_words_after_an_end_are_news(receiver: Receiver) -> None:
    assert receiver.alerts(alert()).json()["status"] == "accepted"
    assert receiver.alerts(alert("resolved", NOW)).json()["status"] == "accepted"
    assert receiver.alerts(alert()).json()["status"] == "accepted"  # it fires again
    assert receiver.alerts(alert()).json()["status"] == "duplicate"


def test_grafana_may_put_as_well(receiver: Receiver) -> None:
    assert receiver.alerts(alert(), method="PUT").status_code == 202


def test_one_odd_alert_is_told_and_keeps_the_others(receiver: Receiver, database: Engine) -> None:
    answer = receiver.alerts(alert(), {"status": "firing", "labels": {}})
    assert (answer.status_code, answer.json()["detail"]) == (202, "1 alerts; 1 cannot be read")
    (found,) = delivery_findings(all_deliveries(database), NOW)
    assert "1 of its 2 alerts: alert 2 has no labels" in found.cause


def test_alerts_that_ended_long_ago_are_refused_and_one_that_fires_is_not(receiver: Receiver) -> None:
    old = alert("resolved", NOW - 2 * DAY)
    assert receiver.alerts(old).status_code == 400
    assert receiver.alerts(old, alert("resolved", NOW)).status_code == 202
    assert receiver.alerts(alert()).status_code == 202  # it began a month ago, and fires


def test_the_memory_outlives_a_restart_and_is_bounded(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "MOST_KEPT", 5)
    for number in range(20):
        names = [f"{number}", f"body {number}"]
        assert note_delivery(database, "bitbucket", names, NOW + timedelta(seconds=number), DAY)
    assert note_delivery(database, "grafana", ["19"], NOW, DAY), "another source"
    with database.connect() as connection:
        assert connection.execute(select(func.count()).select_from(webhook_deliveries)).scalar_one() == 6
    assert not note_delivery(database, "bitbucket", ["body 19"], NOW + timedelta(seconds=20), DAY)
    assert note_delivery(database, "bitbucket", ["19"], NOW + 2 * DAY, DAY), "long ago"
    forget_delivery(database, "bitbucket", ["body 19"])
    assert note_delivery(database, "bitbucket", ["body 19"], NOW + 2 * DAY, DAY)
