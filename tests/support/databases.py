"""Migrated databases made by copying one that was migrated before, since every test wants one of its own."""

from __future__ import annotations

import sqlite3
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.pool import Pool

from opscrew.store.database import open_database

on_sqlite_alone = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""For what is the same code on both databases: a new PostgreSQL database takes longer than the test."""


def migrated_sqlite(path: Path) -> str:
    """Writes an empty, migrated database file at ``path`` and returns its URL."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_migrated())
    return f"sqlite:///{path}"


@cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "crew.db")
        open_database(f"sqlite:///{path}").dispose()
        return path.read_bytes()


def do_not_wait_for_the_disk() -> None:
    """Lets SQLite return before the disk has written, in this process.

    What a test writes has to survive the end of a process, never that of the machine.
    """
    if not event.contains(Pool, "checkout", _write_later):
        event.listen(Pool, "checkout", _write_later)


def _write_later(connection: Any, _record: object, _proxy: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=OFF")
