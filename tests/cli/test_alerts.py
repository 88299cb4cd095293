"""`crew alerts` and `crew incidents` as people use them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from opscrew.alerts.incident_store import IncidentStore
from opscrew.alerts.incidents import draft
from opscrew.alerts.store import AlertStore
from opscrew.clock import utc_now
from opscrew.store.database import open_database
from tests.support.alerts import firing
from tests.support.crew_command import CrewCommand

Crew = Callable[..., str]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AlertStore:
    monkeypatch.setenv("CREW_DATA_DIR", str(tmp_path))
    found = AlertStore(open_database(f"sqlite:///{tmp_path / 'crew.db'}"), utc_now)
    found.take([firing(utc_now() - timedelta(minutes=3), pod="web-1")])
    cause = {"cause": "change", "text": "web was rolled out", "score": 0.9, "why": "4 min before"}
    told = {**cause, "began_at": utc_now().isoformat(), "subject": ""}
    triage = {"causes": [told], "actions": ["abc"], "not_looked_at": {"log patterns": "not configured"}}
    found.store_triage(replace(found.groups()[0], triage=triage, triaged_at=utc_now()))
    return found


@pytest.fixture
def crew(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Crew:
    command = CrewCommand(monkeypatch, capsys)

    def run(*words: str) -> str:
        ran = command(*words)
        assert ran.code == 0, ran.err
        return ran.out

    return run


def test_alerts_are_listed_and_shown(store: AlertStore, crew: Crew) -> None:
    assert "PodsRestart" in crew("alerts")
    (line,) = crew("alerts", "list", "--json").splitlines()
    told = json.loads(line)
    assert told["labels"]["pod"] == "web-1"
    shown = crew("alerts", "show", told["id"][:6])
    assert "0.90  web was rolled out (4 min before)" in shown
    assert "crew actions show abc" in shown
    assert "Not looked at: log patterns" in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert json.loads(crew("alerts", "show", told["id"], "--json"))["group"]["causes"][0]["cause"] == "change"


def test_incidents_are_listed_shown_and_written(store: AlertStore, tmp_path: Path, crew: Crew) -> None:
    assert "No incidents" in crew("incidents", "list")
    assert "No incidents" in crew("incidents")
    group = replace(store.groups()[0], closed_at=utc_now())
    engine = open_database(f"sqlite:///{tmp_path / 'crew.db'}")
    IncidentStore(engine, utc_now).put(draft(group, store.firing(), []))
    assert group.id in crew("incidents", "list")
    assert "## Timeline" in crew("incidents", "show", group.id[:4])
    edited = tmp_path / "edited.md"
    edited.write_text("# Web\n\nThe queue was full because of mascarpone.\n", encoding="utf-8")
    crew("incidents", "write", group.id, "--file", str(edited))
    assert "written" in crew("incidents", "list")
    assert group.id in crew("knowledge", "search", "--words", "mascarpone queue")
