"""One execution of one crew."""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class RunOutcome(StrEnum):
    """How a run ended. ``partial`` means that some system did not answer and the rest was done."""

    OK = "ok"
    PARTIAL = "partial"
    FAILED = "failed"


class Run(BaseModel):
    """What a crew did, for the run list, the metrics and the report."""

    model_config = ConfigDict(frozen=True)

    crew: str
    started_at: AwareDatetime
    ended_at: AwareDatetime
    outcome: RunOutcome
    summary: str
    unavailable: tuple[str, ...] = ()
    """Systems that were asked and did not answer."""
    read_nothing: bool = Field(default=False, exclude=True)
    """Whether nothing at all could be read, so that the run says nothing about the state of anything. Not stored."""
