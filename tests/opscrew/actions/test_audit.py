"""Whatever is done to the audit log behind our back is found."""

import json
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from opscrew.actions.anchor import FILE_NAME, LOCK_SECONDS, Anchor, read_anchor
from opscrew.actions.audit import BEGINNING, Head, canonical, details_of, hash_of
from opscrew.actions.execution import Execution
from opscrew.actions.findings import audit_finding
from opscrew.actions.uptime import no_uptime
from opscrew.actions.verification import verify
from tests.support.actions import ListedSystem, rerun, settings_for_actions
from tests.support.databases import on_sqlite_alone
from tests.support.tampering import rewrite, tamper, without_guards


@pytest.fixture
def log(database, clock, tmp_path):
    """Three actions sent: nine entries. The guards against accidents are taken away, as somebody with rights could."""
    execution = Execution(database, settings_for_actions(), clock, no_uptime)
    for number in (1, 2, 3):
        execution.propose(rerun(number))
    execution.advance([ListedSystem()])
    return without_guards(database)


def problems(log, tmp_path, expected: Head | None = None) -> tuple[str, ...]:
    return verify(log, tmp_path / "crew-data" / FILE_NAME, expected).problems


def test_an_untouched_log_is_intact_and_wholly_anchored(log, tmp_path) -> None:
    check = verify(log, tmp_path / "crew-data" / FILE_NAME)
    assert check.intact
    assert (check.head.number, check.anchored) == (9, 9)
    assert audit_finding(check) is None


@on_sqlite_alone
@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE audit_entries SET who = 'ada' WHERE number = 4", "entry 4 was edited"),
        ("UPDATE audit_entries SET details = '{}' WHERE number = 9", "entry 9 was edited"),
        ("UPDATE audit_entries SET event = 'denied' WHERE number = 1", "entry 1 was edited"),
        ("UPDATE audit_entries SET action = 'audit' WHERE number = 2", "entry 2 was edited"),
        ("UPDATE audit_entries SET at = '2026-01-01T00:00:00.000000+00:00' WHERE number = 1", "entry 1 was edited"),
        ("DELETE FROM audit_entries WHERE number = 5", "entry 5 is missing"),
        ("DELETE FROM audit_entries WHERE number BETWEEN 2 AND 6", "entry 2-6 is missing"),
        ("DELETE FROM audit_entries WHERE number = 1", "entry 1 is missing"),
        ("DELETE FROM audit_entries WHERE number > 7", "the log ends with 7: the end was cut off"),
        ("DELETE FROM audit_entries", "the log ends with 0: the end was cut off"),
    ],
)
def test_edits_and_deletions_are_found(log, tmp_path, statement, problem) -> None:
    tamper(log, statement)
    found = problems(log, tmp_path)
    assert any(problem in one for one in found), found


def test_an_insertion_is_found(log, tmp_path) -> None:
    tamper(log, "UPDATE audit_entries SET number = number + 100 WHERE number > 4")
    tamper(log, "UPDATE audit_entries SET number = number - 99 WHERE number > 100")
    tamper(
        log,
        "INSERT INTO audit_entries SELECT 5, at, action, event, who, details, hash, hash "
        "FROM audit_entries WHERE number = 4",
    )
    assert any("entry 5" in one for one in problems(log, tmp_path))


@on_sqlite_alone
def test_a_reordering_is_found(log, tmp_path) -> None:
    tamper(
        log,
        "UPDATE audit_entries SET number = 100 WHERE number = 3",
        "UPDATE audit_entries SET number = 3 WHERE number = 4",
        "UPDATE audit_entries SET number = 4 WHERE number = 100",
    )
    assert any("does not follow" in one for one in problems(log, tmp_path))


def test_a_wholly_rewritten_chain_is_found_by_the_anchor_and_by_a_noted_head(log, tmp_path) -> None:
    head = verify(log, tmp_path / "crew-data" / FILE_NAME).head
    rewrite(log, lambda row: row.update(who="nobody") if row["number"] == 4 else None)
    assert any("the anchor names: history was rewritten" in one for one in problems(log, tmp_path))
    (tmp_path / "crew-data" / FILE_NAME).unlink()
    (lost,) = problems(log, tmp_path)  # without the anchor nothing in the database shows what was done ...
    assert "is missing" in lost
    found = problems(log, tmp_path, expected=head)
    assert any("--head names: history was rewritten" in one for one in found)  # ... but a noted head does


@on_sqlite_alone
def test_the_next_entry_does_not_paper_over_a_cut(log, clock, tmp_path) -> None:
    tamper(log, "DELETE FROM audit_entries WHERE number > 6")
    execution = Execution(log, settings_for_actions(), clock, no_uptime)
    for number in range(4, 12):
        execution.propose(rerun(number))
    assert any("history was rewritten" in one for one in problems(log, tmp_path))


def test_a_journal_that_was_changed_alone_is_found(log, tmp_path) -> None:
    tamper(log, "UPDATE actions SET state = 'denied' WHERE name = '#2'")
    assert any("is denied in the journal, but the log last said sent" in one for one in problems(log, tmp_path))
    tamper(log, "DELETE FROM actions WHERE name = '#2'")
    assert any("no longer in the journal" in one for one in problems(log, tmp_path))


@on_sqlite_alone
def test_a_broken_log_is_a_critical_finding(log, tmp_path) -> None:
    tamper(log, "DELETE FROM audit_entries WHERE number IN (2, 4)")
    found = audit_finding(verify(log, tmp_path / "crew-data" / FILE_NAME))
    assert found is not None
    assert (found.code, found.severity) == ("AUDIT_BROKEN", "critical")
    assert "more" in found.cause


@on_sqlite_alone
@pytest.mark.parametrize("content", ["", "{", '{"number": "x"}', "\x00\x01"])
def test_a_damaged_anchor_is_reported_and_kept_as_evidence(log, clock, tmp_path, content) -> None:
    (tmp_path / "crew-data" / FILE_NAME).write_text(content)
    Execution(log, settings_for_actions(), clock, no_uptime).propose(rerun(4))
    assert any("it no longer proves the end" in one for one in problems(log, tmp_path))
    assert (tmp_path / "crew-data" / FILE_NAME).read_text() == content


def test_the_table_refuses_changes_by_accident(database, clock, tmp_path) -> None:
    Execution(database, settings_for_actions(), clock, no_uptime).propose(rerun(1))
    for statement in ("UPDATE audit_entries SET who = 'x'", "DELETE FROM audit_entries"):
        with pytest.raises(Exception, match="append-only"):
            tamper(database, statement)


def test_the_hash_of_an_entry_is_the_same_in_every_version() -> None:
    """Another spelling of it would call every log that was written before a forgery."""
    entry = {
        "number": 12,
        "at": "2026-10-06T12:00:00.000000+00:00",
        "action": "0123456789ab",
        "event": "approved",
        "who": "jürgen",
        "details": canonical({"note": "genehmigt für „shop“", "attempts": 1}),
        "previous_hash": BEGINNING,
    }
    assert entry["details"] == '{"attempts":1,"note":"genehmigt f\\u00fcr \\u201eshop\\u201c"}'
    assert hash_of(entry) == "ef58812f3cc78ce2f9cd561ba5763be3fce823e0df8b4e183ac02242867c92da"


@on_sqlite_alone
def test_secrets_do_not_reach_the_log(database, clock, tmp_path) -> None:
    action = rerun(1).model_copy(update={"reason": "curl -H 'Authorization: Bearer abcdefgh12345678'"})
    Execution(database, settings_for_actions(), clock, no_uptime).propose(action)
    with database.connect() as connection:
        (details,) = connection.execute(text("SELECT details FROM audit_entries")).scalars()
    assert "abcdefgh12345678" not in details
    assert json.loads(details)["reason"].startswith("curl")


@on_sqlite_alone
def test_times_stand_in_the_log_with_six_decimals_whatever_the_second(database, clock, tmp_path) -> None:
    """As the first version wrote them: another form would call every earlier entry of a whole second a forgery."""
    Execution(database, settings_for_actions(), clock, no_uptime).propose(rerun(1))
    with database.connect() as connection:
        (at,) = connection.execute(text("SELECT at FROM audit_entries")).scalars()
        (details,) = connection.execute(text("SELECT details FROM audit_entries")).scalars()
    assert clock().microsecond == 0
    assert at == clock().isoformat(timespec="microseconds")
    assert json.loads(details)["expires_at"].endswith(".000000+00:00")


def test_details_that_were_edited_into_something_else_hold_nothing() -> None:
    for edited in ("", "{", "[1]", "null", '"word"'):
        assert details_of(SimpleNamespace(details=edited)) == {}  # type: ignore[arg-type]


def test_an_anchor_of_the_first_version_accepts_nothing(tmp_path) -> None:
    (tmp_path / FILE_NAME).write_text('{"number": 4, "hash": "ab"}')
    assert read_anchor(tmp_path / FILE_NAME) == Anchor(Head(4, "ab"), accepted=0)
    assert LOCK_SECONDS == 10, "as long as the longest write of a busy disk, and well below the lease of a sender"
