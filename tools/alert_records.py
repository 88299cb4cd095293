"""Alerts and silences in the words of Alertmanager's API, which Grafana's alerting speaks too.

https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

Texts = Annotated[dict[str, str], BeforeValidator(lambda value: value or {})]
Names = Annotated[tuple[str, ...], BeforeValidator(lambda value: value or ())]


class Record(BaseModel):
    """Unknown fields are left out; what is missing has an empty default."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class Receiver(Record):
    """Whom an alert is sent to."""

    name: str = ""


class AlertStatus(Record):
    """``state`` is active, suppressed or unprocessed."""

    state: str = ""
    silenced_by: Names = Field(default=(), alias="silencedBy")
    inhibited_by: Names = Field(default=(), alias="inhibitedBy")
    muted_by: Names = Field(default=(), alias="mutedBy")


class RoutedAlert(Record):
    """One alert as Alertmanager or Grafana holds it. ``fingerprint`` is a hash of its labels."""

    fingerprint: str
    labels: Texts = {}
    annotations: Texts = {}
    starts_at: AwareDatetime = Field(alias="startsAt")
    ends_at: AwareDatetime = Field(alias="endsAt")
    updated_at: AwareDatetime = Field(alias="updatedAt")
    generator_url: str = Field(default="", alias="generatorURL")
    receivers: tuple[Receiver, ...] = ()
    status: AlertStatus = AlertStatus()

    @property
    def name(self) -> str:
        return self.labels.get("alertname", "")

    @property
    def is_silenced(self) -> bool:
        return bool(self.status.silenced_by)

    @property
    def is_suppressed(self) -> bool:
        """Nobody is told: silenced, inhibited by another alert, or outside its active times."""
        return self.status.state == "suppressed"


class Matcher(Record):
    """``is_regex`` and ``is_equal`` give the four forms =, !=, =~ and !~."""

    name: str
    value: str
    is_regex: bool = Field(default=False, alias="isRegex")
    is_equal: bool = Field(default=True, alias="isEqual")

    def __str__(self) -> str:
        sign = ("=~" if self.is_equal else "!~") if self.is_regex else ("=" if self.is_equal else "!=")
        return f'{self.name}{sign}"{self.value}"'


class SilenceStatus(Record):
    """``state`` is active, pending or expired."""

    state: str = ""


class Silence(Record):
    """A time in which alerts that match are not sent."""

    id: str
    matchers: tuple[Matcher, ...] = ()
    starts_at: AwareDatetime = Field(alias="startsAt")
    ends_at: AwareDatetime = Field(alias="endsAt")
    created_by: str = Field(default="", alias="createdBy")
    comment: str = ""
    status: SilenceStatus = SilenceStatus()

    @property
    def is_active(self) -> bool:
        return self.status.state == "active"


def silence_request(
    labels: Mapping[str, str], starts_at: datetime, ends_at: datetime, created_by: str, comment: str
) -> dict[str, Any]:
    """The body that creates a silence for alerts with exactly these labels."""
    wanted = [{"name": name, "value": value, "isRegex": False, "isEqual": True} for name, value in labels.items()]
    return {
        "matchers": wanted,
        "startsAt": starts_at.isoformat(),
        "endsAt": ends_at.isoformat(),
        "createdBy": created_by,
        "comment": comment,
    }
