"""One observed fact, with where and when it was seen."""

from __future__ import annotations

from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict


class Evidence(BaseModel):
    """A line a person can check.

    ``source`` names the system and what was asked ("bitbucket log acme/shop#42 step Test"). ``text`` is already
    redacted and capped. ``observed_at`` is the time of the fact itself where it has one, else of the look.
    """

    model_config = ConfigDict(frozen=True)

    source: str
    text: str
    observed_at: AwareDatetime
    link: str = ""


def evidence(source: str, text: str, observed_at: datetime, link: str = "") -> Evidence:
    """Shorter spelling for the common case."""
    return Evidence(source=source, text=text, observed_at=observed_at, link=link)
