"""One page of a repository's pipelines by its number: for reading the past, where the client's lists begin anew."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError

from tools.bitbucket import failures
from tools.bitbucket.connection import Connection
from tools.bitbucket.paging import values_of
from tools.bitbucket.reading import Reader
from tools.bitbucket.records import Pipeline

LONGEST_PAGE = 100
"""Entries that one request may bring."""


@dataclass(frozen=True)
class PipelinePage:
    """Newest first. ``length`` of a full page may be less than was asked for; ``is_last`` when none follows."""

    pipelines: tuple[Pipeline, ...]
    length: int
    is_last: bool


def read_page(connection: Connection, reader: Reader, path: str, number: int, length: int) -> PipelinePage:
    """Page ``number`` from 1, ``length`` long. An entry that cannot be read is an error: it would leave a gap."""
    answer = connection.get(path, {"sort": "-created_on", "page": number, "pagelen": length})
    values = values_of(answer, is_first=number == 1)
    if values is None:
        raise failures.odd_answer(path, "the answer is not a list")
    told = answer.get("pagelen")
    length = min(told, length) if isinstance(told, int) and told > 0 else length
    try:
        found = tuple(reader.read(Pipeline, data) for data in values)
    except ValidationError as problem:
        place = ".".join(str(step) for step in problem.errors()[0]["loc"]) or "the whole"
        raise failures.odd_answer(path, f"the page holds what is no pipeline: {place} is missing or odd") from problem
    return PipelinePage(found, length, len(found) < length)
