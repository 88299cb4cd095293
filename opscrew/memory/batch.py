"""Ranks many queries over documents from files: for measuring, and for trying a library before adding it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from opscrew.errors import CrewError, UsageError
from opscrew.memory.documents import Document, opening
from opscrew.memory.embedding import Embedder
from opscrew.memory.promql import is_promql
from opscrew.memory.search import Search
from opscrew.memory.vectors import MemoryVectors


def read_documents(path: Path) -> list[Document]:
    """Lines of ``{"id", "title", "text"}``."""
    return [Document(row["id"], row.get("title", ""), row["text"]) for row in _rows(path, ("id", "text"))]


def read_queries(path: Path) -> list[tuple[str, str]]:
    """Lines of ``{"query_id", "query"}``."""
    return [(row["query_id"], row["query"]) for row in _rows(path, ("query_id", "query"))]


def rank_all(
    documents: list[Document], queries: list[tuple[str, str]], embedder: Embedder | None, top: int
) -> Iterator[dict[str, Any]]:
    """``{"query_id", "ranked": [ids]}`` for each query, in order. No vectors are made when no query needs them."""
    search = Search(documents)
    if embedder is not None and not all(is_promql(text) for _, text in queries):
        vectors = MemoryVectors(embedder)
        vectors.update([piece for document in documents for piece in opening(document)])
        search.vectors = vectors
    for identity, text in queries:
        yield {"query_id": identity, "ranked": search.ranked(text, top)}


def _rows(path: Path, needed: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "it is not UTF-8"
        raise CrewError(f"cannot read {path}: {reason}", "Give a file with one JSON object a line.") from problem
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            json.dumps(row, ensure_ascii=False).encode()  # half a character, written as \ud800, fits no text
        except (ValueError, RecursionError) as problem:
            raise UsageError(f"{path} line {number}: not valid JSON", "Write one JSON object a line.") from problem
        absent = [key for key in needed if not isinstance(row, dict) or not isinstance(row.get(key), str)]
        if absent:
            raise UsageError(
                f"{path} line {number}: {absent[0]} is missing or no text", f"Needed: {', '.join(needed)}."
            )
        if not isinstance(row.get("title", ""), str):
            raise UsageError(f"{path} line {number}: title is no text", "Leave it out, or write it in quotes.")
        yield row
