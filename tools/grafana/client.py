"""Grafana: alert state, annotations and links to dashboards.

https://grafana.com/docs/grafana/latest/developers/http_api/. Thread-safe; failures are ``UpstreamError``. Needs a
service account with the role Viewer; nothing here changes anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from tools.alert_records import RoutedAlert
from tools.connection import Address, Connection, OnResponse, ignored
from tools.grafana.records import AlertRule, Annotation, Dashboard
from tools.queries import Query, load_queries

SYSTEM = "grafana"
RULES = "/api/prometheus/grafana/api/v1/rules"
ALERTS = "/api/alertmanager/grafana/api/v2/alerts"
ANNOTATIONS, SEARCH = "/api/annotations", "/api/search"
QUERIES_FILE = Path(__file__).with_name("queries.yaml")
R = TypeVar("R", bound=BaseModel)


@cache
def queries() -> Mapping[str, Query]:
    """The shipped questions by name."""
    return load_queries(QUERIES_FILE)


class GrafanaClient:
    """Call ``close()`` in the end."""

    def __init__(self, address: Address, on_response: OnResponse = ignored) -> None:
        self._connection = Connection(SYSTEM, address, on_response)

    def close(self) -> None:
        self._connection.close()

    def alerts(self) -> tuple[RoutedAlert, ...]:
        """The alerts that Grafana's own alerting holds at present, silenced ones included."""
        return self._records(ALERTS, RoutedAlert, self._connection.get(ALERTS))

    def rules(self) -> tuple[AlertRule, ...]:
        """Every alert rule that Grafana evaluates itself, with its state and health."""
        answer = self._connection.get(RULES)
        data = answer.get("data") if isinstance(answer, dict) else None
        groups = data.get("groups") if isinstance(data, dict) else None
        if not isinstance(groups, list):
            raise self._connection.odd(RULES, "the answer holds no groups")
        return tuple(
            self._record(RULES, AlertRule, self._placed(rule, group))
            for group in groups
            if isinstance(group, dict)
            for rule in group.get("rules") or ()
        )

    def annotations(
        self, start: datetime, end: datetime, *, tags: Sequence[str] = (), limit: int = 100
    ) -> tuple[Annotation, ...]:
        """Marks between two times; with ``tags`` only those that carry every one of them."""
        query: dict[str, Any] = {
            "from": int(start.timestamp() * 1000),
            "to": int(end.timestamp() * 1000),
            "limit": limit,
        }
        if tags:
            query |= {"tags": list(tags), "type": "annotation"}
        return self._records(ANNOTATIONS, Annotation, self._connection.get(ANNOTATIONS, query))

    def deployments(self, start: datetime, end: datetime) -> tuple[Annotation, ...]:
        """Marks that deployment tools leave; see ``queries.yaml`` for the tag."""
        return self.annotations(start, end, tags=(queries()["deployment_tag"].query,))

    def dashboards(self, words: str = "", *, tag: str = "", limit: int = 20) -> tuple[Dashboard, ...]:
        """Dashboards whose title holds ``words``, with links."""
        query: dict[str, Any] = {"type": "dash-db", "limit": limit}
        query |= {name: value for name, value in (("query", words), ("tag", tag)) if value}
        answer = self._connection.get(SEARCH, query)
        if isinstance(answer, list):
            answer = [{**row, "url": self._link(row.get("url"))} for row in answer if isinstance(row, dict)]
        return self._records(SEARCH, Dashboard, answer)

    def dashboard_link(self, kind: str, variables: Mapping[str, str] | None = None) -> str:
        """The address of the dashboard for pod, workload, node or volume with its variables set; empty where none."""
        found = self.dashboards(queries()[f"dashboard_for_{kind}"].query, limit=1)
        if not found:
            return ""
        chosen = {f"var-{name}": value for name, value in (variables or {}).items()}
        return str(httpx.URL(found[0].url).copy_merge_params(chosen))

    def _placed(self, rule: Any, group: Mapping[str, Any]) -> Any:
        """The rule with what stands beside it: its folder and group, and the address where a person edits it."""
        if not isinstance(rule, dict):
            return rule
        uid = rule.get("uid")
        url = self._link(f"/alerting/grafana/{uid}/view") if isinstance(uid, str) and uid else ""
        return {**rule, "folder": str(group.get("file", "")), "group": str(group.get("name", "")), "url": url}

    def _link(self, path: object) -> str:
        """Grafana writes paths with its own sub-path included, so that only host and scheme are ours."""
        if not isinstance(path, str) or not path.startswith("/"):
            return ""
        base = httpx.URL(self._connection.url)
        prefix = base.path.rstrip("/")
        whole = path if not prefix or path.startswith(prefix + "/") else prefix + path
        return str(base.copy_with(raw_path=whole.encode()))

    def _records(self, path: str, kind: type[R], answer: Any) -> tuple[R, ...]:
        if not isinstance(answer, list):
            raise self._connection.odd(path, "the answer is not a list")
        return tuple(self._record(path, kind, entry) for entry in answer)

    def _record(self, path: str, kind: type[R], entry: Any) -> R:
        try:
            return kind.model_validate(entry)
        except ValidationError as problem:
            raise self._connection.odd(path, f"an entry has another shape: {problem.errors()[0]['loc']}") from problem
