"""The wish to silence an alert: one that fires now, by its name, its labels or its id."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crews.runtime.context import CrewContext
from tests.support.asking import ask, crew_at
from tests.support.http_answers import Answers, http_answers, status, value
from tools.alertmanager.client import ALERTS

pytestmark = pytest.mark.usefixtures("unhurried")
NOW = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)


def firing(identity: str, name: str, *, silenced: bool = False, **labels: str) -> dict[str, Any]:
    return {
        "fingerprint": identity,
        "labels": {"alertname": name, **labels},
        "startsAt": NOW.isoformat(),
        "endsAt": NOW.isoformat(),
        "updatedAt": NOW.isoformat(),
        "status": {"state": "active", "silencedBy": ["s-1"] if silenced else []},
    }


@pytest.fixture
def server() -> Iterator[Answers]:
    with http_answers() as running:
        running.by_path[ALERTS] = value(
            [
                firing("a1b2c3d4", "DiskFull", namespace="shop", pod="db-0"),
                firing("b1b2c3d4", "HighLatency", namespace="shop"),
                firing("c1b2c3d4", "HighLatency", namespace="stage"),
                firing("d1b2c3d4", "Quiet", silenced=True),
            ]
        )
        yield running


@pytest.fixture
def crew(server: Answers, tmp_path: Path) -> Iterator[CrewContext]:
    with crew_at(NOW, tmp_path, alertmanager={"url": server.url, "timeout_seconds": 60}) as made:
        yield made


@pytest.mark.parametrize(
    ("text", "identity", "minutes"),
    [
        ("silence DiskFull for 2 hours", "a1b2c3d4", 120),
        ("please silence the alert DiskFull", "a1b2c3d4", 60),
        ("mute HighLatency in stage for a day", "c1b2c3d4", 1440),
        ("silence b1b2c3d4 for 30m", "b1b2c3d4", 30),
    ],
)
def test_one_that_fires_is_proposed_with_its_time(crew: CrewContext, text: str, identity: str, minutes: int) -> None:
    answer = ask(crew, text)
    (record,) = answer.actions
    assert (record.action.kind, record.action.target.name) == ("silence_alert", identity)
    assert record.action.parameters == {"minutes": minutes}
    assert f"minutes {minutes}" in answer.text
    assert record.state == "waiting"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("silence HighLatency", "several are meant: b1b2c3d4 HighLatency (namespace shop); c1b2c3d4"),
        ("silence Nothing", "name an alert that fires now (DiskFull, HighLatency, Quiet)"),
        ("silence Quiet", "it is silenced already"),
        ("silence DiskFull for 30 days", "at most 10080"),
    ],
)
def test_what_is_not_clear_or_not_possible_is_said(crew: CrewContext, text: str, said: str) -> None:
    answer = ask(crew, text)
    assert said in " ".join(answer.text.split())
    assert not [one for one in answer.actions if one.state != "refused"]


@pytest.mark.parametrize(
    "text",
    """silence everything; silence all alerts; silence DiskFull forever; silence DiskFull for 1.5 hours
    silence DiskFull for 1,5 hours; silence DiskFull until tomorrow; silence DiskFull for 2 weeks
    silence DiskFull for two hours; silence DiskFull for half an hour; silence DiskFull for 2 hours and 30 minutes
    silence DiskFull for 2h30m; silence DiskFull for 90; silence DiskFull for 5 months; silence DiskFull 2h
    silence DiskFull in stage; silence DiskFull on db-1; silence DiskFull and HighLatency; silence DiskFull?
    silence HighLatency not in shop; silence DiskFul; cancel the silence of DiskFull; stop silencing DiskFull
    unsilence DiskFull; don't silence DiskFull; silence a1b2c3d4 and b1b2c3d4; silence the shop alerts""".replace(
        "\n", ";"
    ).split(";"),
)
def test_a_wish_of_which_a_word_is_not_understood_is_asked_back(crew: CrewContext, text: str) -> None:
    assert ask(crew, text.strip()).actions == ()


def test_an_alertmanager_that_does_not_answer_is_named(server: Answers, crew: CrewContext) -> None:
    server.by_path[ALERTS] = status(503, "starting")
    assert "Nothing is proposed: alertmanager" in ask(crew, "silence DiskFull").text


def test_what_was_off_can_be_asked_for_again_in_the_same_hour_once_it_is_allowed(
    server: Answers, tmp_path: Path
) -> None:
    part = {"url": server.url, "timeout_seconds": 60}
    with crew_at(NOW, tmp_path, alertmanager=part, policy={"silence_alert": "off"}) as crew:
        for _ in range(2):
            refused = ask(crew, "silence DiskFull for 2 hours").text
            assert "refused (policy says off for silence_alert)" in refused
        allowed = replace(crew, settings=crew.settings.model_copy(update={"policy": {}}))
        assert "crew actions approve" in ask(allowed, "silence DiskFull for 2 hours").text
