"""Silencing an alert over real HTTP: refused only where Alertmanager says so, and found again by its mark."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crews.actions.silence_alert import SilenceAlert
from crews.actions.workloads import mark_of
from opscrew.actions.executor import SendRefusedError
from opscrew.model.action import Action
from opscrew.model.subject import Subject
from tests.support.http_answers import Answers, Handler, Request, http_answers, status, text, value
from tools.alertmanager.client import ALERTS, SILENCES, AlertmanagerClient
from tools.connection import Address
from tools.errors import UpstreamError

NOW = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)
ALERT = {
    "fingerprint": "a1b2",
    "labels": {"alertname": "DiskFull", "namespace": "shop"},
    "annotations": {},
    "startsAt": NOW.isoformat(),
    "endsAt": NOW.isoformat(),
    "updatedAt": NOW.isoformat(),
    "status": {"state": "active", "silencedBy": [], "inhibitedBy": []},
    "receivers": [{"name": "crew"}],
}
ACTION = Action(
    kind="silence_alert",
    target=Subject(system="alertmanager", kind="alert", name="a1b2"),
    parameters={"minutes": 60},
    reason="it flaps",
    idempotency_key="silence_alert:a1b2",
)


@pytest.fixture
def server() -> Iterator[Answers]:
    with http_answers() as running:
        running.by_path[ALERTS] = value([ALERT])
        yield running


@pytest.fixture
def executor(server: Answers) -> Iterator[SilenceAlert]:
    client = AlertmanagerClient(Address(server.url, timeout_seconds=60))
    yield SilenceAlert(client, lambda: NOW)
    client.close()


def silence(state: str = "active", comment: str = "") -> dict[str, Any]:
    return {
        "id": "s-1",
        "status": {"state": state},
        "createdBy": "crew",
        "comment": comment or f"it flaps [{mark_of(ACTION)}]",
        "matchers": [],
        "startsAt": NOW.isoformat(),
        "endsAt": (NOW + timedelta(hours=1)).isoformat(),
        "updatedAt": NOW.isoformat(),
    }


def test_exactly_the_alerts_labels_are_silenced_for_the_time_asked_for(server: Answers, executor: SilenceAlert) -> None:
    sent: list[Any] = []

    def take(handler: Handler, request: Request) -> None:
        if request.method == "POST":
            sent.append(json.loads(request.body))
        value({"silenceID": "s-1"} if request.method == "POST" else [silence()])(handler, request)

    server.by_path[SILENCES] = take
    assert executor.precondition(ACTION) is None
    receipt = executor.send(ACTION)
    assert (receipt.external_id, receipt.detail) == ("s-1", "silenced until 2026-10-06 13:00 UTC")
    matched = {(one["name"], one["value"], one["isRegex"], one["isEqual"]) for one in sent[0]["matchers"]}
    assert matched == {("alertname", "DiskFull", False, True), ("namespace", "shop", False, True)}
    outcome = executor.outcome(ACTION, receipt)
    assert outcome is not None
    assert outcome.succeeded
    assert executor.find_sent(ACTION, NOW) is not None


OPEN = [text("{"), value({}), value([]), text("<html>"), status(503), status(302), status(408)]


@pytest.mark.parametrize("answer", OPEN)
def test_an_answer_that_leaves_it_open_is_no_refusal(server: Answers, executor: SilenceAlert, answer: Any) -> None:
    server.by_path[SILENCES] = answer
    with pytest.raises(UpstreamError):
        executor.send(ACTION)


@pytest.mark.parametrize("code", [400, 401, 403, 404])
def test_a_clear_refusal_ends_the_action(server: Answers, executor: SilenceAlert, code: int) -> None:
    server.by_path[SILENCES] = status(code, "bad matcher")
    with pytest.raises(SendRefusedError):
        executor.send(ACTION)


def test_what_was_lost_is_found_by_its_mark_and_by_no_other(server: Answers, executor: SilenceAlert) -> None:
    server.by_path[SILENCES] = value([silence(comment="it flaps [another]"), silence("expired")])
    found = executor.find_sent(ACTION, NOW)
    assert found is not None
    assert found.external_id == "s-1"
    server.by_path[SILENCES] = value([silence(comment="it flaps [another]")])
    assert executor.find_sent(ACTION, NOW) is None


def test_an_alert_that_is_over_or_silenced_is_left_alone(server: Answers, executor: SilenceAlert) -> None:
    server.by_path[ALERTS] = value(
        [ALERT | {"status": {"state": "suppressed", "silencedBy": ["x"], "inhibitedBy": []}}]
    )
    assert executor.precondition(ACTION) == "it is silenced already"
    server.by_path[ALERTS] = value([])
    assert executor.precondition(ACTION) == "the alert is over"
    with pytest.raises(SendRefusedError, match="over"):
        executor.send(ACTION)
