"""`crew findings`: lists, filters, mutes, and helps when an id is wrong."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opscrew.findings.codes import finding
from opscrew.findings.ledger import Ledger
from opscrew.model.evidence import evidence
from opscrew.model.run import Run, RunOutcome
from opscrew.model.subject import Subject
from opscrew.settings import Settings
from opscrew.store.database import open_database
from opscrew.store.runs import record_run
from tests.support.crew_command import CrewCommand

NOW = datetime.now(UTC)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def crew(monkeypatch, capsys, tmp_path) -> CrewCommand:
    monkeypatch.chdir(tmp_path)
    return CrewCommand(monkeypatch, capsys)


@pytest.fixture
def stored() -> list[str]:
    """Two open findings and a resolved one, in the database that the command will open."""
    subjects = [Subject(system="bitbucket", kind="pipeline", scope="acme/shop", name=f"#{n}") for n in range(3)]
    found = [
        finding("CI_OUTAGE", subjects[0], "the registry is down " * 8, evidence=[evidence("log", "no route", NOW)]),
        finding("CI_GENUINE_FAILURE", subjects[1], "a test fails"),
        finding("CI_GENUINE_FAILURE", subjects[2], "it was mended"),
    ]
    engine = open_database(Settings().database_url)
    ledger = Ledger(engine, lambda: NOW)
    ledger.observe("ci", found, complete=True)
    ledger.observe("ci", found[:2], complete=True)
    engine.dispose()
    return [one.fingerprint for one in found]


def lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_alone_it_lists_what_is_open_the_worst_first_at_eighty_columns(crew, stored) -> None:
    ran = crew("findings")
    assert ran.code == 0
    assert ran.out.index("critical") < ran.out.index("info")
    assert "it was mended" not in ran.out
    assert "2 findings." in ran.out
    assert max(len(line) for line in ran.out.splitlines()) <= 80
    assert "\x1b" not in ran.out
    assert crew("findings", "list").out == ran.out


def test_json_is_one_object_a_line_and_nothing_else(crew, stored) -> None:
    ran = crew("findings", "--json", "--state", "all")
    found = lines(ran.out)
    assert {one["id"] for one in found} == set(stored)
    first = found[0]
    assert (first["code"], first["severity"], first["state"]) == ("CI_OUTAGE", "critical", "ongoing")
    assert first["evidence"][0]["text"] == "no route"
    assert datetime.fromisoformat(first["last_seen_at"]) == NOW


@pytest.mark.parametrize(
    ("arguments", "number"),
    [
        (["--state", "resolved"], 1),
        (["--state", "all"], 3),
        (["--state", "open", "--state", "resolved"], 3),
        (["--severity", "critical"], 1),
        (["--severity", "critical", "--severity", "info"], 2),
        (["--system", "kubernetes"], 0),
        (["--code", "ci_outage"], 1),
        (["--limit", "1"], 1),
    ],
)
def test_filters(crew, stored, arguments, number) -> None:
    assert len(lines(crew("findings", "list", *arguments, "--json").out)) == number


def test_show_gives_evidence_history_and_the_runbook(crew, stored) -> None:
    ran = crew("findings", "show", stored[0][:7])
    for part in ("no route", "appeared", "knowledge/runbooks/CI_OUTAGE.md", "acme/shop/#0"):
        assert part in ran.out
    (shown,) = lines(crew("findings", "show", stored[2], "--json").out)
    assert [change["change"] for change in shown["history"]] == ["appeared", "gone"]


def test_suppress_mutes_and_unsuppress_speaks_again(crew, stored) -> None:
    (muted,) = lines(crew("findings", "suppress", stored[0], "--for", "7d", "--reason", "known", "--json").out)
    assert muted["suppressed"]["reason"] == "known"
    assert len(lines(crew("findings", "--json").out)) == 1
    assert len(lines(crew("findings", "--state", "suppressed", "--json").out)) == 1
    assert crew("findings", "unsuppress", stored[0]).code == 0
    assert len(lines(crew("findings", "--json").out)) == 2


def test_a_wrong_id_offers_near_ones(crew, stored) -> None:
    typo = stored[0][:5] + ("0" if stored[0][5] != "0" else "1") + stored[0][6:9]
    ran = crew("findings", "show", typo)
    assert ran.code == 1
    assert f"there is no finding {typo}" in ran.err
    assert stored[0] in ran.err
    assert ran.out == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--state", "opne"], "--state opne is unknown (did you mean open?)"),
        (["--severity", "bad"], "--severity bad is unknown"),
        (["--json", "list"], "options stand before list"),
        (["suppress", "x", "--for", "soon", "--reason", "r"], "'soon' is not a length of time"),
        (["suppress", "x", "--for", "0d", "--reason", "r"], "'0d' is not a length of time"),
        (["suppress", "x", "--for", "999999w", "--reason", "r"], "is not a length of time"),
        (["suppress", "x"], "Missing option"),
        (["frobnicate"], "No such command"),
    ],
)
def test_what_is_written_wrongly_ends_with_2(crew, arguments, message) -> None:
    ran = crew("findings", *arguments)
    assert ran.code == 2
    assert message in ran.err


def test_an_empty_ledger_says_so(crew) -> None:
    assert "No open findings" in crew("findings").out
    assert crew("findings", "--json").out == ""
    assert "No finding fits" in crew("findings", "--system", "gcp").out


def test_an_empty_list_says_who_has_not_seen_everything(crew) -> None:
    assert "No crew has looked yet" in crew("findings").out
    engine = open_database(Settings().database_url)
    looked = Run(crew="storage_growth", started_at=NOW, ended_at=NOW, outcome=RunOutcome.OK, summary="all fine")
    partial = {"outcome": RunOutcome.PARTIAL, "summary": "prod: volumes not measured"}
    for run in (looked, looked.model_copy(update=partial)):
        record_run(engine, run)
    engine.dispose()
    told = " ".join(crew("findings").out.split())
    assert "storage_growth did not see everything at" in told
    assert "(partial): prod: volumes not measured" in told
    assert "No crew has looked yet" not in told


def test_an_empty_list_says_that_nobody_has_looked_for_long(crew) -> None:
    engine = open_database(Settings().database_url)
    before = NOW - timedelta(hours=3)
    record_run(engine, Run(crew="ci_watch", started_at=before, ended_at=before, outcome=RunOutcome.OK, summary="fine"))
    engine.dispose()
    assert "No crew has looked since" in crew("findings").out


def test_listing_loads_nothing_that_it_does_not_need(stored) -> None:
    script = (
        "import sys; sys.argv = ['crew', 'findings']\nimport main\n"
        "try: main.program()\nexcept SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    heavy = {"alembic", "structlog", "rich", "httpx", "crewai", "litellm", "numpy", "fastapi", "apscheduler"}
    assert heavy & set(ran.stderr.split()) == set()
    assert "2 findings" in ran.stdout
