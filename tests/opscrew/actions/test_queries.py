"""The database chooses and counts actions the same way on both kinds."""

from datetime import timedelta

import pytest

from opscrew.actions import queries
from opscrew.findings import rows
from opscrew.findings.ledger import Ledger
from tests.support.multitudes import write_actions, write_findings
from tests.support.tampering import tamper


@pytest.fixture
def ids(database, clock) -> list[str]:
    """Re-runs of acme/repo1 to acme/repo12, a second apart; the third waits."""
    written = write_actions(database, 12, clock(), "succeeded")
    tamper(database, f"UPDATE actions SET state = 'waiting', finished_at = NULL WHERE id = '{written[2]}'")
    return written


def test_actions_are_chosen_by_name_time_and_state(database, clock, ids) -> None:
    def named(*groups, start=None, also_waiting=False) -> list[str]:
        wanted = queries.concerning(groups, start, clock(), also_waiting=also_waiting)
        with database.connect() as connection:
            told = [one.id for one in queries.waiting_first(connection, wanted, 12)]
            assert sum(queries.count_by_state(connection, wanted).values()) == len(told)
            assert [one.id for one in queries.waiting_first(connection, wanted, 2)] == told[:2]
        return told

    assert named() == [ids[2], *ids[:2:-1], ids[1], ids[0]], "what waits, then the latest"
    assert named(["repo1"]) == [ids[0]], "repo1 is not repo11"
    assert named(["acme/repo2", "#3"]) == [ids[2], ids[1]]
    assert named(["acme"], ["repo4"]) == [ids[3]]
    assert named(["acme"], ["%"]) == []
    assert named(start=clock() - timedelta(seconds=1)) == [ids[11], ids[10]]
    assert named(start=clock() - timedelta(seconds=1), also_waiting=True) == [ids[2], ids[11], ids[10]]
    assert named(["repo5"], start=clock(), also_waiting=True) == []


def test_actions_are_counted_and_found_by_finding_and_id(database, clock, ids) -> None:
    with database.connect() as connection:
        assert queries.count_by_state(connection, queries.concerning((), None, clock(), also_waiting=False)) == {
            "succeeded": 11,
            "waiting": 1,
        }
        assert [one.id for one in queries.for_findings(connection, [f"{2:016x}", "none"])] == [ids[1]]
        assert [one.id for one in queries.by_id(connection, [ids[4], "none"])] == [ids[4]]
        assert queries.by_id(connection, []) == []


def test_findings_are_chosen_by_what_they_name_and_when_they_stood(database, clock) -> None:
    now = clock()
    write_findings(database, 20, now)
    tamper(
        database,
        "UPDATE findings SET state = 'resolved', resolved_at = last_seen WHERE name = 'feature-5'",
        "UPDATE findings SET details = '{\"namespace\": \"k\\u00e4se\"}' WHERE name = 'feature-6'",
    )
    ledger = Ledger(database, clock)

    def chosen(*also) -> set[str]:
        return {one.finding.subject.name.removeprefix("feature-") for one in ledger.list(also=also)}

    assert chosen(rows.naming(["repo1"])) == {"1", *(str(number) for number in range(10, 20))}
    assert chosen(rows.naming(["signature-7", "feature-8"])) == {"7", "8"}
    assert chosen(rows.naming(["käse"])) == {"6"}
    assert chosen(rows.naming([])) == set()
    assert chosen(rows.coded(["CI_OUT"])) == set()
    assert len(chosen(rows.coded(["CI_OUT", "CI_FA"]))) == 20
    assert chosen(rows.resolved_since(now - timedelta(seconds=5))) == {"5"}
    assert chosen(rows.resolved_since(now - timedelta(seconds=4))) == set()
    assert chosen(rows.standing_between(now - timedelta(seconds=4), now - timedelta(seconds=3))) == {
        *(str(number) for number in range(3, 20) if number != 5)
    }
    assert len(chosen(rows.unresolved())) == 19
    assert len(ledger.subjects()) == 20
