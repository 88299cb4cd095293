"""vmalert: its rules with their health, and the alerts they hold at present.

https://docs.victoriametrics.com/victoriametrics/vmalert/#web. Thread-safe; failures are ``UpstreamError``.
"""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import ValidationError

from tools.connection import Address, Connection, OnResponse, ignored
from tools.victoriametrics.records import Rule, RuleAlert

SYSTEM = "vmalert"
RULES, ALERTS = "/api/v1/rules", "/api/v1/alerts"
R = TypeVar("R", Rule, RuleAlert)


class VmalertClient:
    """Call ``close()`` in the end."""

    def __init__(self, address: Address, on_response: OnResponse = ignored) -> None:
        self._connection = Connection(SYSTEM, address, on_response)

    def close(self) -> None:
        self._connection.close()

    def rules(self) -> tuple[Rule, ...]:
        """Every rule of every group, alerting and recording, with its alerts."""
        found = []
        for group in self._list(RULES, "groups"):
            rules = group.get("rules") if isinstance(group, dict) else None
            for rule in rules if isinstance(rules, list) else ():
                if not isinstance(rule, dict):
                    raise self._connection.odd(RULES, "a rule is no object")
                found.append(self._record(RULES, Rule, {**rule, "group": str(group.get("name", ""))}))
        return tuple(found)

    def alerts(self) -> tuple[RuleAlert, ...]:
        """Pending and firing alerts."""
        return tuple(self._record(ALERTS, RuleAlert, entry) for entry in self._list(ALERTS, "alerts"))

    def _list(self, path: str, name: str) -> list[Any]:
        answer = self._connection.get(path)
        data = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(data, dict) or answer.get("status") != "success":
            raise self._connection.odd(path, "the answer holds no data")
        found = data.get(name) or []
        if not isinstance(found, list):
            raise self._connection.odd(path, f"{name} is not a list")
        return found

    def _record(self, path: str, kind: type[R], entry: Any) -> R:
        try:
            return kind.model_validate(entry)
        except ValidationError as problem:
            raise self._connection.odd(path, f"an entry has another shape: {problem.errors()[0]['loc']}") from problem
