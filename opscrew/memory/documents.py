"""What can be remembered and found again: one document, and the pieces of it that get a vector each.

A runbook file starts with a small YAML header between two lines of dashes; everything after it is Markdown. Pieces
follow the headings, since a heading is where people change the subject, and their ids stay the same as long as the
heading does: only what was edited is indexed anew.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import yaml

from opscrew.errors import CrewError

LONGEST_TEXT = 200_000
"""Characters of one document that are kept. A runbook has thousands; more is a log that was added by mistake."""

LONGEST_PIECE = 900
"""Characters of one piece: about 220 tokens, just below what the embedding model reads."""

OPENING_PIECES = 3
"""Pieces of a document that get a vector. What it is about stands at its beginning; vectors of commands further down
cost three times as much and changed no benchmark for the better."""

KINDS = ("runbook", "incident", "episode", "note")
"""runbook: what to do. incident: a written account. episode: a resolved finding of our own. note: added by people."""

_HEADER = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_HEADING = re.compile(r"^(#{1,4})\s+(.+?)\s*#*$", re.MULTILINE)
_TEXTS = ("code", "title", "system", "severity")
_KEYS = {*_TEXTS, "kind", "date", "proven"}


@dataclass(frozen=True)
class Document:
    """``happened_at`` is set for incidents and episodes; ``proven`` tells whether what was done then helped."""

    id: str
    title: str
    text: str
    kind: str = "note"
    system: str = ""
    code: str = ""
    severity: str = ""
    happened_at: datetime | None = None
    proven: bool | None = None
    source: str = ""
    """The file it comes from, or "" for what is kept in the database."""


@dataclass(frozen=True)
class Piece:
    """``digest`` changes when the text does."""

    id: str
    document: str
    heading: str
    text: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def read_file(path: Path, identity: str, kind: str = "note") -> Document:
    """A Markdown or text file with an optional header. ``CrewError`` names the file and what is wrong in it."""
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise CrewError(f"{path} is no ordinary file", "A device or a pipe may never end; add a file.")
        content = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as problem:
        raise CrewError(f"{path} is not a text file in UTF-8", "Add Markdown or plain text.") from problem
    except OSError as problem:
        raise CrewError(f"cannot read {path}: {problem.strerror}", "Check the path.") from problem
    header, body = _header(path, content)
    if not body.strip():
        raise CrewError(f"{path} holds no text", "Nothing was added.")
    first = _HEADING.search(body)
    title = header.get("title") or (first.group(2) if first and first.start() < 200 else path.stem)
    return Document(
        id=identity,
        title=str(title),
        text=body.strip(),
        kind=str(header.get("kind", kind)),
        system=str(header.get("system", "")),
        code=str(header.get("code", "")),
        severity=str(header.get("severity", "")),
        happened_at=_moment(path, header.get("date")),
        proven=header.get("proven"),
        source=str(path).encode("utf-8", "replace").decode(),
    )


def pieces(document: Document) -> list[Piece]:
    """Each section in pieces of at most ``LONGEST_PIECE`` characters, every one under the document's title."""
    found: list[Piece] = []
    seen: Counter[str] = Counter()
    for heading, text in _sections(document.text):
        for part in _parts(text):
            name = _slug(heading) or "start"
            seen[name] += 1
            identity = f"{document.id}#{name}" + (f"-{seen[name]}" if seen[name] > 1 else "")
            found.append(Piece(identity, document.id, heading, f"{document.title}\n{heading}\n{part}".strip()))
    return found or [Piece(f"{document.id}#start", document.id, "", document.title)]


def opening(document: Document) -> list[Piece]:
    """The pieces that get a vector."""
    return pieces(document)[:OPENING_PIECES]


def _header(path: Path, content: str) -> tuple[dict[str, Any], str]:
    match = _HEADER.match(content)
    if match is None:
        return {}, content
    try:
        header = yaml.safe_load(match.group(1))
    except (yaml.YAMLError, ValueError) as problem:  # ValueError: a thirteenth month
        raise CrewError(f"{path}: its header is not valid YAML", "Mend the lines between the dashes.") from problem
    if not isinstance(header, dict):
        return {}, content  # a thematic break, not a header
    unknown = sorted(set(map(str, header)) - _KEYS)
    if unknown:
        raise CrewError(f"{path}: unknown key {unknown[0]} in its header", f"Known: {', '.join(sorted(_KEYS))}.")
    if header.get("kind", "note") not in KINDS:
        raise CrewError(f"{path}: kind must be one of {', '.join(KINDS)}")
    for key in _TEXTS:
        if not isinstance(header.get(key, ""), str | int | float):
            raise CrewError(f"{path}: {key} must be a text", "Write it on one line, in quotes.")
    if header.get("proven") not in (None, True, False):
        raise CrewError(f"{path}: proven must be true or false", "It tells whether what was done helped.")
    return header, content[match.end() :]


def _moment(path: Path, value: object) -> datetime | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    raise CrewError(f"{path}: date must be a day such as 2026-03-14")


def _sections(text: str) -> Iterator[tuple[str, str]]:
    """(heading, text below it); the first heading is "" for what stands above any."""
    marks = [mark for mark in _HEADING.finditer(text) if text.count("```", 0, mark.start()) % 2 == 0]
    edges = [*(mark.start() for mark in marks), len(text)]
    if text[: edges[0]].strip():
        yield "", text[: edges[0]].strip()
    for mark, end in zip(marks, edges[1:], strict=True):
        if below := text[mark.end() : end].strip():
            yield mark.group(2), below


def _parts(text: str) -> Iterator[str]:
    """Paragraphs together up to the limit; a single longer paragraph is cut."""
    part = ""
    for paragraph in re.split(r"\n\s*\n", text):
        if part and len(part) + len(paragraph) > LONGEST_PIECE:
            yield part
            part = ""
        part = f"{part}\n{paragraph}".strip()
        while len(part) > LONGEST_PIECE:
            yield part[:LONGEST_PIECE]
            part = part[LONGEST_PIECE:]
    if part.strip():
        yield part


def _slug(heading: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-")[:60]
