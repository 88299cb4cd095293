"""What Grafana answers, as plain records. Alerts have the shape of ``tools.alert_records``."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from tools.alert_records import Names, Texts


class Record(BaseModel):
    """Unknown fields are left out; what is missing has an empty default."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


def _no_year_one(value: object) -> object:
    """Grafana writes the year 1 where nothing has happened yet."""
    return None if isinstance(value, str) and value.startswith("0001-") else value


Moment = Annotated[AwareDatetime | None, BeforeValidator(_no_year_one)]


class AlertRule(Record):
    """``state`` is firing, pending, recovering or inactive; ``health`` is ok, error, nodata or unknown."""

    uid: str = ""
    name: str = ""
    folder: str = ""
    group: str = ""
    state: str = ""
    health: str = ""
    last_error: str = Field(default="", alias="lastError")
    last_evaluation: Moment = Field(default=None, alias="lastEvaluation")
    is_paused: bool = Field(default=False, alias="isPaused")
    labels: Texts = {}
    annotations: Texts = {}
    url: str = ""

    @property
    def is_broken(self) -> bool:
        """Its query fails or finds nothing, so that it says nothing about the world."""
        return self.health in ("error", "nodata") or bool(self.last_error)


class Annotation(Record):
    """A mark on a time line: a deployment, an incident, a change of an alert. Times are milliseconds."""

    id: int = 0
    begins_ms: int = Field(default=0, alias="time")
    ends_ms: int = Field(default=0, alias="timeEnd")
    text: str = ""
    tags: Names = ()
    alert: str = Field(default="", alias="alertName")
    dashboard: Annotated[str, BeforeValidator(lambda value: value or "")] = Field(default="", alias="dashboardUID")


class Dashboard(Record):
    """``url`` is complete, so that a person can follow it."""

    uid: str = ""
    title: str = ""
    folder: str = Field(default="", alias="folderTitle")
    tags: Names = ()
    url: str = ""
