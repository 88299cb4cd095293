"""What an answer that is no success means: looks it up in ``refusals.yaml``."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

REFUSALS_FILE = Path(__file__).with_name("refusals.yaml")


class Refusal(BaseModel):
    """One entry of ``refusals.yaml``, explained there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: int = Field(ge=300, le=599)
    method: str = ""
    words: str = ""
    hint: str = Field(min_length=1)


class Refusals(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    refusals: tuple[Refusal, ...]


@cache
def refusals() -> tuple[Refusal, ...]:
    """As shipped, in order. Raises pydantic's ``ValidationError`` when the file was edited wrongly."""
    return Refusals.model_validate(yaml.safe_load(REFUSALS_FILE.read_text(encoding="utf-8"))).refusals


def hint_for(status: int, method: str, words: str) -> str:
    """What to do about it; "" where nothing is known. ``words`` are the server's own."""
    group = 500 if status >= 500 else 300 if status < 400 else status
    said = words.lower()
    fitting = (one for one in refusals() if one.status == group and one.method in ("", method) and one.words in said)
    return next((one.hint for one in fitting), "")
