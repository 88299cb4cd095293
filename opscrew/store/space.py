"""Gives the space of deleted rows back to the disk, a little at a time, so that nobody waits for it."""

from __future__ import annotations

import time
from typing import Any

import structlog
from sqlalchemy import Engine

log = structlog.get_logger(__name__)

WORTH_IT = 4 * 1024 * 1024
"""Bytes below which an unused rest is left for new rows."""

PAGES_AT_ONCE = 500
"""One short transaction; others may write between two of them."""

_INCREMENTAL = 2


def give_back_space(engine: Engine, seconds: float) -> int:
    """Shrinks SQLite's file, for about so long at most; returns how many bytes it lost. PostgreSQL needs no help.

    A file of an earlier version is rewritten once, in one piece, so that later it can shrink in small ones. Where that
    takes too long, another process is at it, or the disk is too full for a copy, everything stays as it was.
    """
    if engine.dialect.name != "sqlite":
        return 0
    connection = engine.raw_connection()  # outside of any transaction
    try:
        cursor = connection.cursor()
        page_size, before = _pragma(cursor, "page_size"), _pragma(cursor, "page_count")
        if _pragma(cursor, "freelist_count") * page_size >= WORTH_IT:
            _shrink(connection, cursor, time.monotonic() + seconds)
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return max(0, before - _pragma(cursor, "page_count")) * page_size
    except engine.dialect.loaded_dbapi.OperationalError as problem:
        log.info("space_not_given_back", reason=str(problem))
        return 0
    finally:
        connection.close()


def _shrink(connection: Any, cursor: Any, ends: float) -> None:
    if _pragma(cursor, "auto_vacuum") != _INCREMENTAL:
        connection.driver_connection.set_progress_handler(lambda: time.monotonic() >= ends, 1_000)
        try:
            cursor.execute("PRAGMA auto_vacuum=INCREMENTAL")
            cursor.execute("VACUUM")
        finally:
            connection.driver_connection.set_progress_handler(None, 0)
    while _pragma(cursor, "freelist_count") and time.monotonic() < ends:
        cursor.execute(f"PRAGMA incremental_vacuum({PAGES_AT_ONCE})").fetchall()


def _pragma(cursor: Any, name: str) -> int:
    return int(cursor.execute(f"PRAGMA {name}").fetchone()[0])
