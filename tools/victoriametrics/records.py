"""What VictoriaMetrics and vmalert answer, as plain records.

Samples are slotted classes without validation models: a range over a thousand volumes has a hundred thousand points.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

Texts = Annotated[dict[str, str], BeforeValidator(lambda value: value or {})]


def _none_before_1971(moment: datetime | None) -> datetime | None:
    """vmalert writes the year 1 where nothing has happened yet."""
    return moment if moment and moment.year > 1970 else None


Moment = Annotated[AwareDatetime | None, AfterValidator(_none_before_1971)]


@dataclass(frozen=True, slots=True)
class Sample:
    """One series at one time. ``value`` may be infinite or not a number."""

    labels: Mapping[str, str]
    value: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Series:
    """``points`` are (Unix seconds, value), oldest first; steps without a value are left out by the server."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]

    @property
    def last_at(self) -> datetime | None:
        return datetime.fromtimestamp(self.points[-1][0], UTC) if self.points else None


@dataclass(frozen=True, slots=True)
class Instant:
    """``partial`` means that some storage node did not answer: what is missing may exist."""

    samples: tuple[Sample, ...]
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Range:
    """Like ``Instant``, over time."""

    series: tuple[Series, ...]
    partial: bool = False


class Record(BaseModel):
    """Unknown fields are left out; what is missing has an empty default."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class RuleAlert(Record):
    """One alert of one rule. ``state`` is pending or firing."""

    id: str = ""
    rule_id: str = ""
    name: str = ""
    state: str = ""
    value: str = ""
    expression: str = ""
    labels: Texts = {}
    annotations: Texts = {}
    active_at: Moment = Field(default=None, alias="activeAt")
    source: str = ""

    @property
    def is_firing(self) -> bool:
        return self.state == "firing"


class Rule(Record):
    """``state`` is firing, pending, inactive or ok; ``health`` is ok or err; ``type`` is alerting or recording.

    ``duration_seconds`` is how long the condition must hold before the alert fires.
    """

    id: str = ""
    name: str = ""
    type: str = ""
    query: str = ""
    state: str = ""
    health: str = ""
    last_error: str = Field(default="", alias="lastError")
    duration_seconds: float = Field(default=0, alias="duration")
    last_evaluation: Moment = Field(default=None, alias="lastEvaluation")
    series_fetched: int | None = Field(default=None, alias="lastSeriesFetched")
    """How many series the last evaluation looked at; None where the store does not say."""
    labels: Texts = {}
    annotations: Texts = {}
    alerts: Annotated[tuple[RuleAlert, ...], BeforeValidator(lambda value: value or ())] = ()
    group: str = ""

    @property
    def is_broken(self) -> bool:
        """Its last evaluation failed, so that it says nothing about the world."""
        return self.health not in ("", "ok") or bool(self.last_error)
