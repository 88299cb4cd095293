"""Checks the whole audit log: the chain, the anchor, and that journal and log tell the same story."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Row, select

from opscrew.actions.anchor import AnchorDamagedError, read_anchor
from opscrew.actions.audit import BEGINNING, Head, hash_of
from opscrew.store.database import reading
from opscrew.store.tables.actions import actions
from opscrew.store.tables.audit import audit_entries

MOST_PROBLEMS = 20
"""After the first break everything behind it looks wrong too; more lines would not tell more."""


@dataclass(frozen=True)
class AuditCheck:
    """``problems`` is empty when all is well. ``anchored`` is the newest entry whose loss would be noticed."""

    head: Head
    anchored: int
    problems: tuple[str, ...]

    @property
    def intact(self) -> bool:
        return not self.problems


def verify(engine: Engine, anchor_path: Path, expected: Head | None = None) -> AuditCheck:
    """Reads every entry once. ``expected`` is a head that somebody noted elsewhere."""
    problems: list[str] = []
    watched: dict[int, tuple[str, str]] = {}
    anchored = _read_anchor_into(watched, anchor_path, problems)
    if expected:
        watched[expected.number] = ("the head given with --head", expected.hash)
    last_state: dict[str, str] = {}
    # One snapshot for both tables, so that what happens meanwhile does not look like a difference.
    with reading(engine).connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        newest = Head(0, BEGINNING)
        for row in connection.execute(select(audit_entries).order_by(audit_entries.c.number)):
            problems.extend(_wrong_with(row, newest))
            last_state[row.action] = row.event
            newest = Head(row.number, row.hash)
            named = watched.pop(row.number, None)
            if named and named[1] != row.hash:
                problems.append(f"entry {row.number} is not the one that {named[0]} names: history was rewritten")
        for number, (name, _) in sorted(watched.items()):
            if number > newest.number:
                problems.append(
                    f"{name} names entry {number}, but the log ends with {newest.number}: the end was cut off"
                )
        problems.extend(_differences(connection, last_state))
    return AuditCheck(newest, anchored, tuple(problems[:MOST_PROBLEMS]))


def _read_anchor_into(watched: dict[int, tuple[str, str]], path: Path, problems: list[str]) -> int:
    try:
        anchor = read_anchor(path)
    except AnchorDamagedError:
        problems.append(f"the anchor {path} is damaged: it no longer proves the end of the log")
        return 0
    if anchor is None:
        return 0
    watched[anchor.number] = ("the anchor", anchor.hash)
    return anchor.number


def _wrong_with(row: Row[Any], before: Head) -> Iterator[str]:
    if row.number != before.number + 1:
        missing = f"{before.number + 1}" if row.number == before.number + 2 else f"{before.number + 1}-{row.number - 1}"
        yield f"entry {missing} is missing: it was deleted"
    elif row.previous_hash != before.hash:
        yield f"entry {row.number} does not follow entry {before.number}: inserted, reordered or rewritten"
    if hash_of(row._asdict()) != row.hash:
        yield f"entry {row.number} was edited: its content does not match its hash"


def _differences(connection: Connection, last_state: dict[str, str]) -> Iterator[str]:
    """The journal says where each action stands; the log must have said so last."""
    for row in connection.execute(select(actions.c.id, actions.c.state).order_by(actions.c.id)):
        logged = last_state.pop(row.id, None)
        if logged is None:
            yield f"action {row.id} is in the journal, but the log never mentions it"
        elif logged != row.state:
            yield f"action {row.id} is {row.state} in the journal, but the log last said {logged}"
    for identity in sorted(last_state):
        yield f"action {identity} is in the log, but no longer in the journal"
