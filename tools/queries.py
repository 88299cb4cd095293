"""Reads a system's ``queries.yaml``: every question that we ask it, with its unit and why it is asked that way.

Names after a dollar sign are filled in by the caller. Label values are quoted by ``quoted``, so that a
name taken from a cluster can never become a part of the query's own language.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Template

import orjson
import yaml
from pydantic import BaseModel, ConfigDict, Field

SHARED, TEMPLATES = "shared", "templates"
"""Entries of the file that are no queries.

``shared`` holds pieces by name, written as ``${name}``; a piece may hold those above it. ``templates`` holds MetricsQL
templates (https://docs.victoriametrics.com/victoriametrics/metricsql/#with-templates) by name, as ``own(q)``: a query
gets those that it uses, so that it stays short enough for a link. A template may use those above it.
"""


class Query(BaseModel):
    """``unit`` is that of the values that come back."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    query: str = Field(min_length=1)
    unit: str = Field(min_length=1)
    why: str = Field(min_length=1)

    def filled(self, **values: str) -> str:
        """The query's text. Raises ``KeyError`` where a name is left over."""
        return Template(self.query.strip()).substitute(values)


def load_queries(path: Path) -> Mapping[str, Query]:
    """Every query by name. Raises pydantic's ``ValidationError`` when the file was edited wrongly."""
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    shared, templates = entries.pop(SHARED, {}), entries.pop(TEMPLATES, {})
    return {
        name: Query.model_validate({**entry, "query": _whole(entry, shared, templates)})
        for name, entry in entries.items()
    }


def shared_pieces(path: Path) -> Mapping[str, str]:
    """What the queries of a file have in common, by name."""
    pieces: Mapping[str, str] = yaml.safe_load(path.read_text(encoding="utf-8")).get(SHARED, {})
    return pieces


def _whole(entry: object, shared: Mapping[str, str], templates: Mapping[str, str]) -> str:
    """The query with everything that it uses. What the caller fills in is left."""
    text = str(entry["query"]).strip() if isinstance(entry, dict) and "query" in entry else ""
    used: list[str] = []
    for head, body in reversed(list(templates.items())):
        if head.partition("(")[0] + "(" in " ".join([text, *used]):
            used.insert(0, f"{head} = {body.strip()}")
    text = f"WITH ({', '.join(used)}) {text}" if used else text
    for name, piece in reversed(list(shared.items())):
        text = text.replace(f"${{{name}}}", piece.strip())
    return text


def quoted(value: str) -> str:
    """A string literal of MetricsQL and LogsQL, whose escapes are those of JSON."""
    return orjson.dumps(value).decode()


def matchers(labels: Mapping[str, str]) -> str:
    """``cluster="prod",zone="a"``: what stands between the braces of a selector. Empty for no labels."""
    for name in labels:
        if not name.isidentifier():
            raise ValueError(f"{name!r} is no label name")
    return ",".join(f"{name}={quoted(value)}" for name, value in sorted(labels.items()))
