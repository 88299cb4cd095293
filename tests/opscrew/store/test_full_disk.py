"""A full disk is one clear line, and loses nothing that was stored before."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import event

from opscrew.actions.execution import Execution
from opscrew.actions.uptime import no_uptime
from opscrew.errors import CrewError
from opscrew.findings.codes import finding
from opscrew.findings.ledger import Ledger
from opscrew.model.subject import Subject
from opscrew.store.database import open_database
from tests.support.actions import ListedSystem, rerun, settings_for_actions

NOON = datetime(2026, 10, 6, 12, tzinfo=UTC)


def findings(number: int) -> list:
    return [
        finding("CI_OUTAGE", Subject(system="crew", kind="test", name=str(n)), f"cause {n} " * 100)
        for n in range(number)
    ]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB in memory."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("this account may not mount a small file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_a_clear_line_and_the_ledger_goes_on_when_there_is_space_again(small_disk: Path) -> None:
    engine = open_database(f"sqlite:///{small_disk / 'crew.db'}")
    ledger = Ledger(engine, lambda: NOON)
    ledger.observe("test", findings(3), complete=True)
    ballast = small_disk / "ballast"
    fill(ballast)
    with pytest.raises(CrewError, match="the disk is full") as caught:
        ledger.observe("test", findings(2000), complete=True)
    assert "\n" not in caught.value.message
    assert "nothing that was stored before is lost" in caught.value.hint
    assert len(ledger.open()) == 3
    ballast.unlink()
    assert len(ledger.observe("test", findings(10), complete=True).new) == 7
    engine.dispose()


def test_an_action_whose_intent_cannot_be_recorded_is_not_sent(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'crew.db'}")
    execution = Execution(engine, settings_for_actions(), lambda: NOON, no_uptime)
    system = ListedSystem()
    record = execution.propose(rerun(1))
    engine.dispose()

    def no_more_pages(connection, _record) -> None:
        connection.execute("PRAGMA max_page_count=1")  # SQLite's own "full", at the size that the file has

    event.listen(engine, "connect", no_more_pages)
    with pytest.raises(CrewError, match="the disk is full"):
        propose_many(execution)
    problems = execution.advance([system]).problems
    # The receipt may have found no room either: then it is looked up, as after a crash.
    intended = [one.action.idempotency_key for one in execution.list() if one.state in ("sending", "sent")]
    assert sorted(system.arrived) == sorted(intended)
    assert problems == () or all("the disk is full" in one for one in problems)
    event.remove(engine, "connect", no_more_pages)
    engine.dispose()
    execution.advance([system])
    assert execution.get(record.id).state == "sent"
    assert system.arrived.count(record.action.idempotency_key) == 1
    engine.dispose()


def propose_many(execution: Execution) -> None:
    for number in range(2, 200):
        execution.propose(rerun(number))


def fill(ballast: Path) -> None:
    """Writes until the disk refuses."""
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            return
