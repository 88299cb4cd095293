"""Which series our queries need, and whether a store has them: see ``series.yaml``."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from tools.victoriametrics.client import named_query

SERIES_FILE = Path(__file__).with_name("series.yaml")

RECENT = "15m"
"""As far back as findings look for a present figure."""


class Need(BaseModel):
    """One entry of ``series.yaml``, which explains its parts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    series: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    source: str = Field(min_length=1)
    unseen: str = Field(min_length=1)
    watched: bool = False

    @model_validator(mode="after")
    def _asks_for_something(self) -> Need:
        if not self.names:
            raise ValueError("it names no series")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.series, *self.one_of)

    def missing(self, found: Collection[str]) -> tuple[str, ...]:
        """What is not among the names that were found, in words."""
        lacking = tuple(name for name in self.series if name not in found)
        if self.one_of and not set(self.one_of) & set(found):
            lacking += (" or ".join(self.one_of[:2]) + (" and the like" if len(self.one_of) > 2 else ""),)
        return lacking

    def query(self, labels: Mapping[str, str]) -> str:
        """How many series there are of each name at present, of those with these labels."""
        conditions = "".join(f',{name}!=""' for name in self.labels)
        selector, end, window = named_query("series_present", RECENT, labels, names=self.names).rpartition("}[")
        return f"{selector}{conditions}{end}{window}"


@cache
def needs() -> Mapping[str, Need]:
    """Every need by name. Raises pydantic's ``ValidationError`` when the file was edited wrongly."""
    entries = yaml.safe_load(SERIES_FILE.read_text(encoding="utf-8"))
    return {name: Need.model_validate(entry) for name, entry in entries.items()}
