"""Alertmanager: which alerts it holds, which are silenced, and silences of our own.

https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml. Thread-safe; failures are ``UpstreamError``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

from pydantic import ValidationError

from tools.alert_records import Record, RoutedAlert, Silence, silence_request
from tools.connection import Address, Connection, OnResponse, ignored

SYSTEM = "alertmanager"
ALERTS, SILENCES = "/api/v2/alerts", "/api/v2/silences"
R = TypeVar("R", bound=Record)


class AlertmanagerClient:
    """Call ``close()`` in the end."""

    def __init__(self, address: Address, on_response: OnResponse = ignored) -> None:
        self._connection = Connection(SYSTEM, address, on_response)

    def close(self) -> None:
        self._connection.close()

    def version(self) -> str:
        """Also the cheapest way to see that it answers."""
        status = self._connection.get("/api/v2/status")
        info = status.get("versionInfo") if isinstance(status, dict) else None
        if not isinstance(info, dict):
            raise self._connection.odd("/api/v2/status", "the answer has no version")
        return str(info.get("version", ""))

    def started_at(self) -> datetime | None:
        """When it was started; what it held before then it has forgotten."""
        status = self._connection.get("/api/v2/status")
        try:
            return datetime.fromisoformat(str(status.get("uptime"))) if isinstance(status, dict) else None
        except ValueError:
            return None

    def alerts(self, *, suppressed: bool = True) -> tuple[RoutedAlert, ...]:
        """Every alert that it holds. Without ``suppressed`` those that are silenced or inhibited are left out."""
        shown = "true" if suppressed else "false"
        query = {"silenced": shown, "inhibited": shown}
        return records(self._connection, ALERTS, RoutedAlert, self._connection.get(ALERTS, query))

    def silences(self, *, expired: bool = False) -> tuple[Silence, ...]:
        """Active and coming silences, and on demand the past ones that it still remembers."""
        found = records(self._connection, SILENCES, Silence, self._connection.get(SILENCES))
        return tuple(one for one in found if expired or one.status.state != "expired")

    def silence(
        self, labels: Mapping[str, str], starts_at: datetime, ends_at: datetime, *, created_by: str, comment: str
    ) -> str:
        """Silences alerts with exactly these labels; returns the new silence's id."""
        if not labels:
            raise ValueError("a silence without labels would silence everything")
        body = silence_request(labels, starts_at, ends_at, created_by, comment)
        answer = self._connection.post_json(SILENCES, body)
        identity = answer.get("silenceID") if isinstance(answer, dict) else None
        if not isinstance(identity, str) or not identity:
            raise self._connection.odd(SILENCES, "the answer names no silence")
        return identity


def records(connection: Connection, path: str, kind: type[R], answer: object) -> tuple[R, ...]:
    """A JSON list as records."""
    if not isinstance(answer, list):
        raise connection.odd(path, "the answer is not a list")
    try:
        return tuple(kind.model_validate(entry) for entry in answer)
    except ValidationError as problem:
        raise connection.odd(path, f"an entry has another shape: {problem.errors()[0]['loc']}") from problem
