"""Reads a system's ``queries.yaml``: every question that we ask it, with its unit and why it is asked that way.

Names in capitals after a dollar sign are filled in by the caller. Label values are quoted by ``quoted``, so that a
name taken from a cluster can never become a part of the query's own language.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Template

import orjson
import yaml
from pydantic import BaseModel, ConfigDict, Field


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
    return {name: Query.model_validate(entry) for name, entry in entries.items()}


def quoted(value: str) -> str:
    """A string literal of MetricsQL and LogsQL, whose escapes are those of JSON."""
    return orjson.dumps(value).decode()


def matchers(labels: Mapping[str, str]) -> str:
    """``cluster="prod",zone="a"``: what stands between the braces of a selector. Empty for no labels."""
    for name in labels:
        if not name.isidentifier():
            raise ValueError(f"{name!r} is no label name")
    return ",".join(f"{name}={quoted(value)}" for name, value in sorted(labels.items()))
