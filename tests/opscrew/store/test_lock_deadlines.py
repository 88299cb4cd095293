"""Whoever holds a lock and hangs costs others a limited time and a clear line, in either database and beside it."""

import fcntl
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from opscrew.actions import anchor, audit
from opscrew.errors import CrewError
from opscrew.store import database
from opscrew.store.database import open_database, serialize_writers


def test_postgresql_tells_who_waits_too_long(postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 300)
    url = postgres.migrated_database()
    holder, waiter = open_database(url), open_database(url)
    with holder.begin() as held:
        serialize_writers(held, "findings")
        with pytest.raises(CrewError, match=r"another process has kept 0\.3 s"), waiter.begin() as late:
            serialize_writers(late, "findings")
    with waiter.begin() as free:
        serialize_writers(free, "findings")
    holder.dispose()
    waiter.dispose()


def test_options_of_a_persons_own_url_are_kept(postgres) -> None:
    engine = open_database(postgres.migrated_database() + "?options=-c%20search_path%3Dpublic%2Cmine")
    with engine.connect() as connection:
        shown = [connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in ("lock_timeout", "search_path")]
    assert shown == ["10s", "public,mine"]
    engine.dispose()


def test_an_anchor_whose_lock_is_held_is_an_error_and_not_a_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anchor, "LOCK_SECONDS", 0.2)
    anchor.set_anchor(tmp_path / anchor.FILE_NAME, anchor.Anchor(audit.Head(0, audit.BEGINNING)))
    with (tmp_path / "audit.lock").open("w") as held, create_engine("sqlite://").connect() as connection:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(OSError, match=r"another process has kept .*audit\.lock"):
            anchor.move_anchor(tmp_path / anchor.FILE_NAME, connection)
