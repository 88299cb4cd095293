"""Checks the whole audit log: the chain, the anchor, and that journal and log tell the same story."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Row, select

from opscrew.actions.account import GONE, Account, content, standing
from opscrew.actions.anchor import Anchor, AnchorDamagedError, read_anchor
from opscrew.actions.audit import BEGINNING, Head, canonical, details_of, entries_from, faults
from opscrew.store.database import reading
from opscrew.store.tables.actions import actions

MOST_PROBLEMS = 20
"""After the first break everything behind it looks wrong too; more lines would not tell more."""

ACCEPTED = "accepted"
"""Event of the entry with which a person accepts a broken log as it is (``acceptance.py``)."""

OF_THE_LOG = "audit"
"""What stands in place of an action in such an entry."""


@dataclass(frozen=True)
class AuditCheck:
    """``problems`` is empty when all is well. ``anchored`` is the newest entry whose loss would be noticed.

    ``accepted`` tells, as a sentence, what a person accepted; empty when nobody had to. ``differing`` names the
    actions of which journal and log tell different stories.
    """

    head: Head
    anchored: int
    problems: tuple[str, ...]
    accepted: str = ""
    differing: frozenset[str] = frozenset()

    @property
    def intact(self) -> bool:
        return not self.problems


def verify(engine: Engine, anchor_path: Path, expected: Head | None = None) -> AuditCheck:
    """Reads every entry once. ``expected`` is a head that somebody noted elsewhere."""
    problems: list[str] = []
    anchor = _anchor(anchor_path, problems)
    # One snapshot for both tables, so that what happens meanwhile does not look like a difference.
    with reading(engine).connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        walk = _Walk(anchor, expected)
        for row in entries_from(connection, 0):
            walk.take(row)
        differing = dict(_differences(connection, walk.accounts))
    if anchor is None and not problems and walk.head.number:
        problems.append(
            f"the anchor {anchor_path} is missing although there are {walk.head.number} entries: nothing proves the end"
        )
    problems += [*walk.broken, *walk.rewritten, *walk.lost(), *differing.values()]
    return AuditCheck(
        walk.head,
        anchor.head.number if anchor else 0,
        tuple(problems[:MOST_PROBLEMS]),
        walk.accepted,
        frozenset(differing),
    )


def digest_of_entries(connection: Connection) -> str:
    """What pins every entry there is as it stands, broken or not."""
    digest = hashlib.sha256()
    for row in entries_from(connection, 0):
        digest.update(_line(row))
    return digest.hexdigest()


class _Walk:
    """One pass over the log, entry by entry."""

    def __init__(self, anchor: Anchor | None, expected: Head | None) -> None:
        self.head = Head(0, BEGINNING)
        self.broken: list[str] = []
        self.rewritten: list[str] = []
        self.accounts: dict[str, Account] = defaultdict(Account)
        self.accepted = ""
        self._accepted_number = anchor.accepted if anchor else 0
        self._digest = hashlib.sha256()
        self._watched = [("the anchor", anchor.head)] if anchor else []
        self._watched += [("the head given with --head", expected)] if expected else []

    def take(self, row: Row[Any]) -> None:
        self.broken.extend(faults(row, self.head))
        self.head = Head(row.number, row.hash)
        for name, noted in self._watched:
            if noted.number == row.number and noted.hash != row.hash:
                self.rewritten.append(f"entry {row.number} is not the one that {name} names: history was rewritten")
        if row.action != OF_THE_LOG:
            self.accounts[row.action].add(row.event, row.who, details_of(row))
        elif row.number == self._accepted_number:
            self._accept(row)
        self._digest.update(_line(row))

    def lost(self) -> Iterator[str]:
        """Of what was noted elsewhere, what the log does not reach any more."""
        for name, noted in self._watched:
            if noted.number > self.head.number:
                yield (
                    f"{name} names entry {noted.number}, but the log ends with {self.head.number}: the end was cut off"
                )

    def _accept(self, row: Row[Any]) -> None:
        details = details_of(row)
        if details.get("entries") != self._digest.hexdigest():
            self.broken.append(f"entry {row.number} accepted other entries than now stand before it: they were changed")
            return
        self.accepted = f"{row.who} accepted what stands before entry {row.number}: {details.get('reason', '')}"
        self.broken.clear()


def _line(row: Row[Any]) -> bytes:
    return canonical(list(row)).encode()


def _anchor(path: Path, problems: list[str]) -> Anchor | None:
    try:
        return read_anchor(path)
    except AnchorDamagedError:
        problems.append(f"the anchor {path} is damaged: it no longer proves the end of the log")
    except OSError as problem:
        problems.append(f"the anchor {path} cannot be read ({problem.strerror}): nothing proves the end of the log")
    return None


def _differences(connection: Connection, accounts: dict[str, Account]) -> Iterator[tuple[str, str]]:
    """The journal says what each action is and where it stands; the log must have said so last."""
    columns = [column for column in actions.c if column.name != "evidence"]
    seen = set()
    for row in connection.execute(select(*columns).order_by(actions.c.id)):
        seen.add(row.id)
        if row.id not in accounts:
            yield row.id, f"action {row.id} is in the journal, but the log never mentions it"
            continue
        account, values = accounts[row.id], row._asdict()
        differing = account.differences(content(values), standing(row.state, row.approved_by, row.expires_at))
        if "state" in differing:
            yield row.id, f"action {row.id} is {row.state} in the journal, but the log last said {account.state}"
        elif differing or account.altered:
            names = " and ".join(differing or account.altered)
            yield row.id, f"action {row.id} was changed in the journal: its {names} did not come from crew"
    for identity in sorted(set(accounts) - seen):
        if accounts[identity].state != GONE:
            yield identity, f"action {identity} is in the log, but no longer in the journal"
