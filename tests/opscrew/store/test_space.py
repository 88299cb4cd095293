"""The database file shrinks after much was deleted, in bounded time, and nobody notices."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from opscrew.store.database import forget_traces, open_database
from opscrew.store.space import WORTH_IT, give_back_space
from tests.support.databases import migrated_sqlite, on_sqlite_alone
from tests.support.multitudes import write_findings

SEVERAL_MIB = 12_000


def size(database) -> int:
    forget_traces(database)
    return Path(database.url.database).stat().st_size


def fill_and_empty(database, clock, count: int = SEVERAL_MIB, where: str = "true") -> None:
    write_findings(database, count, clock() - timedelta(days=400), cause="x" * 400)
    with database.begin() as connection:
        connection.exec_driver_sql(f"DELETE FROM findings WHERE {where}")


@on_sqlite_alone
def test_a_new_file_gives_back_what_was_deleted(database, clock) -> None:
    empty = size(database)
    fill_and_empty(database, clock)
    full = size(database)
    assert full > empty + WORTH_IT
    given_back = give_back_space(database, seconds=60)
    assert size(database) == full - given_back
    assert size(database) < empty * 2
    assert give_back_space(database, seconds=60) == 0, "nothing is left to give"


@on_sqlite_alone
def test_little_is_kept_for_new_rows(database, clock) -> None:
    fill_and_empty(database, clock, 100)
    assert give_back_space(database, seconds=60) == 0


def old_file(tmp_path, clock, where: str = "true"):
    """As an earlier version made it: without the setting, and with what was deleted still in it."""
    url = migrated_sqlite(tmp_path / "old" / "crew.db")
    with sqlite3.connect(tmp_path / "old" / "crew.db", isolation_level=None) as plain:
        plain.execute("PRAGMA auto_vacuum=NONE")
        plain.execute("VACUUM")
    plain.close()
    database = open_database(url)
    fill_and_empty(database, clock, where=where)
    return database


def test_a_file_of_an_earlier_version_is_rewritten_once_and_then_shrinks_in_small_steps(tmp_path, clock) -> None:
    database = old_file(tmp_path, clock)
    full = size(database)
    assert give_back_space(database, seconds=60) >= WORTH_IT
    assert size(database) < full - WORTH_IT
    fill_and_empty(database, clock)
    with database.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA auto_vacuum").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    assert give_back_space(database, seconds=60) >= WORTH_IT
    database.dispose()


def test_without_time_everything_stays_as_it_was(tmp_path, clock) -> None:
    database = old_file(tmp_path, clock, where="name > 'feature-5'")
    full = size(database)
    assert give_back_space(database, seconds=0) == 0
    assert size(database) == full
    with database.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        assert connection.exec_driver_sql("SELECT count(*) FROM findings").scalar() == 6_446
    assert give_back_space(database, seconds=60) > 0
    database.dispose()


def test_while_another_process_writes_it_gives_up(tmp_path, clock, monkeypatch) -> None:
    monkeypatch.setattr("opscrew.store.database.BUSY_TIMEOUT_MS", 100)
    database = old_file(tmp_path, clock)
    other = open_database(str(database.url))
    with other.begin():
        assert give_back_space(database, seconds=60) == 0
    other.dispose()
    assert give_back_space(database, seconds=60) > 0
    database.dispose()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_postgresql_is_left_to_itself(database) -> None:
    assert give_back_space(database, seconds=60) == 0
