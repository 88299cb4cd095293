"""`crew actions`: lists, decides, and verifies the audit log."""

import json
import re
import sqlite3

import pytest

from cli.person import person
from opscrew.actions.anchor import FILE_NAME
from opscrew.actions.execution import Execution
from opscrew.actions.uptime import machine_uptime
from opscrew.clock import utc_now
from opscrew.settings import Settings
from opscrew.store.database import open_database
from tests.support.actions import ListedSystem, rerun, settings_for_actions
from tests.support.crew_command import CrewCommand


@pytest.fixture
def crew(monkeypatch, capsys, tmp_path) -> CrewCommand:
    monkeypatch.chdir(tmp_path)
    return CrewCommand(monkeypatch, capsys)


@pytest.fixture
def stored() -> tuple[str, str]:
    """One action that was sent, and one that waits, in the database that the command will open."""
    engine = open_database(Settings().database_url)
    auto = Execution(engine, settings_for_actions(), utc_now, machine_uptime)
    sent = auto.propose(rerun(1))
    auto.advance([ListedSystem()])
    waiting = Execution(engine, settings_for_actions(policy={}), utc_now, machine_uptime).propose(rerun(2))
    engine.dispose()
    return sent.id, waiting.id


def without_age(text: str) -> str:
    """It may grow by a digit between two listings, and the column with it."""
    return re.sub(r"\s+", " ", re.sub(r"\d+ \w+ ago", "", text))


def lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_alone_it_lists_the_latest_last_at_eighty_columns(crew, stored) -> None:
    ran = crew("actions")
    assert ran.code == 0
    assert ran.out.index("sent") < ran.out.index("waiting")
    assert max(len(line) for line in ran.out.splitlines()) <= 80
    assert without_age(crew("actions", "list").out) == without_age(ran.out)
    found = lines(crew("actions", "--json").out)
    assert [(one["id"], one["state"]) for one in found] == [(stored[0], "sent"), (stored[1], "waiting")]
    assert found[0]["receipt"]["id"] == "run-of-#1"


def test_filters(crew, stored) -> None:
    assert len(lines(crew("actions", "list", "--state", "waiting", "--json").out)) == 1
    assert len(lines(crew("actions", "list", "--state", "unfinished", "--json").out)) == 2
    assert "No action fits" in crew("actions", "--state", "failed").out
    assert crew("actions", "--state", "wating").code == 2


def test_show_tells_every_step(crew, stored) -> None:
    ran = crew("actions", "show", stored[0][:5])
    for part in ("Run a failed pipeline again (sent)", "approved by crew", "sending by crew", "build_number: 1"):
        assert part in ran.out
    (shown,) = lines(crew("actions", "show", stored[0], "--json").out)
    assert [step["event"] for step in shown["steps"]] == ["approved", "sending", "sent"]


def test_approve_is_recorded_with_who(crew, stored) -> None:
    ran = crew("actions", "approve", stored[1])
    assert ran.code == 0
    (shown,) = lines(crew("actions", "show", stored[1], "--json").out)
    assert (shown["state"], shown["approved_by"]) == ("approved", person())
    again = crew("actions", "approve", stored[1])
    assert (again.code, again.out) == (1, "")
    assert "is approved, not waiting" in again.err


def test_deny_is_recorded_with_the_reason(crew, stored) -> None:
    (denied,) = lines(crew("actions", "deny", stored[1], "--reason", "not today", "--json").out)
    assert denied["state"] == "denied"
    assert "not today" in denied["note"]
    assert crew("actions", "deny", stored[0]).code == 1


def test_a_wrong_id_ends_with_1_and_helps(crew, stored) -> None:
    ran = crew("actions", "approve", "zzz")
    assert ran.code == 1
    assert "there is no action zzz" in ran.err


def test_verify_says_what_is_proven_and_what_is_not(crew, stored) -> None:
    ran = crew("actions", "verify")
    assert ran.code == 0
    assert "intact: 4 entries" in ran.out
    assert "Not proven" in ran.out
    (checked,) = lines(crew("actions", "verify", "--json").out)
    assert (checked["intact"], checked["entries"], checked["anchored"]) == (True, 4, 4)
    assert crew("actions", "verify", "--head", checked["head"]).code == 0
    forged = crew("actions", "verify", "--head", f"4:{'0' * 64}")
    assert forged.code == 1
    assert "is not the one that the head given" in forged.out
    assert "is still there" not in forged.out
    assert crew("actions", "verify", "--head", "nonsense").code == 2


def test_verify_finds_tampering_and_ends_with_1(crew, stored) -> None:
    database = sqlite3.connect(Settings().data_dir / "crew.db")
    database.execute("DROP TRIGGER audit_entries_no_delete")
    database.execute("DELETE FROM audit_entries WHERE number = 4")
    database.commit()
    database.close()
    ran = crew("actions", "verify")
    assert ran.code == 1
    assert "The audit log was changed" in ran.out
    assert "the end was cut off" in ran.out
    (checked,) = lines(crew("actions", "verify", "--json").out)
    assert checked["intact"] is False


def test_nothing_proposed_yet(crew) -> None:
    assert "Nothing was ever proposed" in crew("actions").out
    assert crew("actions", "--json").out == ""
    assert crew("actions", "verify").code == 0


def test_a_policy_that_names_no_action_is_told_with_2(crew, tmp_path) -> None:
    (tmp_path / "crew.yaml").write_text("policy: {rerun_pipelines: auto}")
    ran = crew("actions")
    assert ran.code == 2
    assert "did you mean rerun_pipeline?" in ran.err


def test_a_list_that_is_cut_says_of_how_many(crew, stored) -> None:
    assert "The latest 1 of 2; --limit 2 shows all." in crew("actions", "--limit", "1").out
    assert "of 2" not in crew("actions", "--limit", "2").out
    assert "of 2" not in crew("actions", "--limit", "1", "--state", "waiting").out
    assert len(lines(crew("actions", "--limit", "1", "--json").out)) == 1


def test_a_broken_log_is_accepted_with_a_reason_and_the_finding_ends(crew, stored) -> None:
    assert crew("actions", "accept-audit").code == 2
    intact = crew("actions", "accept-audit", "--reason", "x")
    assert (intact.code, "intact" in intact.err) == (1, True)
    (Settings().data_dir / FILE_NAME).unlink()
    broken = crew("actions", "verify")
    assert broken.code == 1
    assert "is missing although there are" in " ".join(broken.out.split())
    assert "crew actions accept-audit" in " ".join(broken.out.split())
    assert "BROKEN" in crew("run", "housekeeping").out
    assert "AUDIT_BROKEN" in crew("findings", "--json").out
    accepted = crew("actions", "accept-audit", "--reason", "a new disk")
    assert (accepted.code, accepted.err) == (0, "")
    assert f"{person()} accepted what stands before entry" in " ".join(accepted.out.split())
    verified = json.loads(crew("actions", "verify", "--json").out)
    assert (verified["intact"], "a new disk" in verified["accepted"]) == (True, True)
    assert verified["anchored"] == verified["entries"]
    assert "a new disk" in " ".join(crew("actions", "verify").out.split())
    assert "AUDIT_BROKEN" not in crew("findings", "--json").out
    assert crew("actions", "approve", stored[1]).code == 0
