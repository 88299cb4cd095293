"""Everything that can be found again: the project's files, notes that people added, and episodes of our own.

The files and the database are the truth. The word index lives in memory and the vector index can be deleted at any
time: the next search makes it again and finds the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, Row, delete, insert, select

from opscrew.clock import Clock
from opscrew.errors import CrewError, NotFoundError
from opscrew.memory.documents import LONGEST_TEXT, Document, read_file
from opscrew.store.database import forget_traces, reading
from opscrew.store.tables.knowledge import knowledge
from opscrew.store.text import storable

KNOWLEDGE = Path(__file__).resolve().parents[2] / "knowledge"
"""The files that come with the project: runbooks/. A fresh installation has no history; only the demo brings one."""

SHELVES = {"runbooks": "runbook", "incidents": "incident"}
"""Folder below ``knowledge/``, or below the demo's own, to the kind of its documents."""


LONGEST_WORD, LONGEST_SEVERITY = 64, 16
"""Characters of a system, a code, a severity: what filters compare."""


class Library:
    """Reads files on every call of ``documents``: a hundred of them take some milliseconds."""

    def __init__(self, engine: Engine, clock: Clock, folder: Path = KNOWLEDGE) -> None:
        self._engine = engine
        self._clock = clock
        self._folder = folder

    def documents(self) -> list[Document]:
        """Files first, then what is in the database, each in the order of ids."""
        with reading(self._engine).connect() as connection:
            stored = [_document(row) for row in connection.execute(select(knowledge).order_by(knowledge.c.id))]
        return [*files(self._folder), *stored]

    def add(self, path: Path) -> Document:
        """Keeps a copy of a file as a note; adding the same name again replaces it."""
        document = read_file(path, f"note/{_slug(path.stem)}")
        return self.put(document)

    def put(self, document: Document) -> Document:
        """Keeps a document in the database, redacted and capped; one of the same id is replaced."""
        if self._is_file(document.id):
            raise CrewError(f"{document.id} is a file of the project", "Edit the file, or choose another name.")
        kept = {
            "id": document.id,
            "title": storable(document.title, 300),
            "text": storable(document.text, LONGEST_TEXT),
            "kind": document.kind,
            "system": storable(document.system, LONGEST_WORD),
            "code": storable(document.code, LONGEST_WORD),
            "severity": storable(document.severity, LONGEST_SEVERITY),
            "happened_at": document.happened_at,
            "proven": document.proven,
            "source": storable(document.source),
            "added_at": self._clock(),
        }
        with self._engine.begin() as connection:
            connection.execute(delete(knowledge).where(knowledge.c.id == document.id))
            row = connection.execute(insert(knowledge).values(**kept).returning(knowledge)).one()
            return _document(row)

    def remove(self, identity: str) -> None:
        """Deletes an added document. ``CrewError`` when there is none, or when it is a file of the project."""
        with self._engine.begin() as connection:
            gone = connection.execute(delete(knowledge).where(knowledge.c.id == identity)).rowcount
        if gone:
            forget_traces(self._engine)
            return
        if self._is_file(identity):
            raise CrewError(f"{identity} is a file of the project", "Delete the file in knowledge/ instead.")
        raise NotFoundError(f"there is no document {identity}", "`crew knowledge list` shows the ids.")

    def forget_episodes(self, keep_days: int) -> int:
        """Deletes episodes that ended longer ago; returns how many. What people wrote is never forgotten."""
        before = self._clock() - timedelta(days=keep_days)
        with self._engine.begin() as connection:
            old = (knowledge.c.kind == "episode", knowledge.c.happened_at < before)
            gone = int(connection.execute(delete(knowledge).where(*old)).rowcount)
        if gone:
            forget_traces(self._engine)
        return gone

    def _is_file(self, identity: str) -> bool:
        return any(document.id == identity for document in files(self._folder))


def files(folder: Path) -> Sequence[Document]:
    """The documents of the project's own files. A broken file is an error that names it, not a silent gap."""
    return [
        read_file(path, f"{kind}/{path.stem}", kind)
        for shelf, kind in SHELVES.items()
        for path in sorted((folder / shelf).glob("*.md"))
    ]


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-")[:150] or "note"


def _document(row: Row[tuple[object, ...]]) -> Document:
    values = row._asdict()
    del values["added_at"]
    return Document(**values)
