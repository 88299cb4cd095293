"""From which rows each number is counted: tables, their time, and what the catalogue calls their columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal

from sqlalchemy import BigInteger, Column, ColumnElement, FromClause, and_, case, cast, func, literal, or_, type_coerce
from sqlalchemy import true as always

from opscrew.measures.query import TIMES
from opscrew.store.tables.actions import actions
from opscrew.store.tables.alerts import alerts
from opscrew.store.tables.ci import ci_sightings
from opscrew.store.tables.ci_history import ci_pipelines, ci_steps
from opscrew.store.tables.findings import finding_changes, findings

Reach = Literal["ci", "steps", "own"]
"""Where it is known how much of the whole there is: what was read of Bitbucket's pipelines, and of their steps, or the
crew's own records, which begin when it began."""


@dataclass(frozen=True)
class Source:
    """``at`` is the time at which a row counts, ``moment`` the same in Unix seconds; ``only`` are the rows there are.

    ``joined`` stands in place of ``rows`` where one of the columns ``beside`` is used, which are in another table.
    ``over`` is set where rows last: one counts when it began before the end of the span and was not over by then.
    """

    rows: FromClause
    at: ColumnElement[Any]
    moment: ColumnElement[int]
    columns: Mapping[str, ColumnElement[Any]]
    reach: Reach
    only: ColumnElement[bool] | None = None
    over: ColumnElement[Any] | None = None
    joined: FromClause | None = None
    beside: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """Of columns and, where rows have a time of their own, of what is worked out from it."""
        return frozenset(self.columns) | (frozenset(TIMES) if self.over is None else frozenset())

    def rows_for(self, names: Iterable[str]) -> FromClause:
        """What to select from where these columns are used."""
        return self.rows if self.joined is None or self.beside.isdisjoint(names) else self.joined

    def within(self, since: datetime, until: datetime) -> ColumnElement[bool]:
        """The rows of a span."""
        only = always() if self.only is None else self.only
        if self.over is not None:
            return and_(only, self.at < until, or_(self.over.is_(None), self.over >= until))
        return and_(only, self.at >= since, self.at < until)


@cache
def sources(dialect: str) -> Mapping[str, Source]:
    """By name, for one kind of database: ``sqlite`` or ``postgresql``."""
    return {
        "builds": _builds(),
        "attempts": _attempts(),
        "steps": _steps(),
        "sightings": _sightings(dialect),
        **_findings(dialect),
        "actions": _actions(dialect),
        "alerts": Source(
            alerts,
            alerts.c.starts_at,
            _unix(alerts.c.starts_at, dialect),
            {"alert": alerts.c.name, "severity": alerts.c.severity, "state": alerts.c.state},
            "own",
        ),
    }


def _pipeline_columns() -> dict[str, ColumnElement[Any]]:
    c = ci_pipelines.c
    return {
        "repository": c.repository,
        "branch": c.branch,
        "tag": c.tag,
        "pull_request": c.pull_request,
        "author": c.author,
        "trigger": c.trigger,
        "definition": c.selector,
        "outcome": c.state,
    }


def _builds() -> Source:
    """Of each build its last attempt, at the time of its first."""
    c = ci_pipelines.c
    passed, failed = or_(c.state == "passed", c.passed_before), or_(c.state == "failed", c.failed_before)
    more = {"failed_before": c.failed_before, "flipped": and_(passed, failed), "decided": or_(passed, failed)}
    moment = type_coerce(c.build_at, BigInteger)
    return Source(ci_pipelines, c.build_at, moment, _pipeline_columns() | more, "ci", only=c.is_last)


def _attempts() -> Source:
    c = ci_pipelines.c
    more: dict[str, ColumnElement[Any]] = {
        "duration_seconds": c.duration_seconds,
        "elapsed_seconds": type_coerce(c.ended_at, BigInteger) - type_coerce(c.created_at, BigInteger),
        "build_minutes": c.build_seconds / 60.0,
        "reruns": case((c.attempt > 1, 1), else_=0) + c.run_number - 1,
        "wasted": or_(c.is_last.is_(False), c.state == "stopped"),
        "green_after_seconds": c.green_after_seconds,
    }
    moment = type_coerce(c.created_at, BigInteger)
    return Source(ci_pipelines, c.created_at, moment, _pipeline_columns() | more, "ci")


def _steps() -> Source:
    c = ci_steps.c
    columns: dict[str, Column[Any]] = {
        "step": c.name,
        "repository": c.repository,
        "branch": ci_pipelines.c.branch,
        "author": ci_pipelines.c.author,
        "trigger": ci_pipelines.c.trigger,
        "runner": c.runner,
        "outcome": c.state,
        "duration_seconds": c.duration_seconds,
        "queue_seconds": c.queue_seconds,
        "tests_failed": c.tests_failed,
    }
    joined = ci_steps.join(ci_pipelines, ci_pipelines.c.id == c.pipeline)
    beside = frozenset(name for name, column in columns.items() if column.table is ci_pipelines)
    moment = type_coerce(c.at, BigInteger)
    return Source(ci_steps, c.at, moment, columns, "steps", joined=joined, beside=beside)


def _sightings(dialect: str) -> Source:
    c = ci_sightings.c
    # "acme/shop#12"
    mark = func.instr(c.pipeline, "#") if dialect == "sqlite" else func.strpos(c.pipeline, "#")
    columns = {"signature": c.signature, "repository": func.substr(c.pipeline, 1, mark - 1)}
    return Source(ci_sightings, c.seen_at, _unix(c.seen_at, dialect), columns, "own")


def _findings(dialect: str) -> dict[str, Source]:
    c, change = findings.c, finding_changes.c
    columns: dict[str, ColumnElement[Any]] = {
        "code": c.code,
        "severity": c.severity,
        "system": c.system,
        "repository": case((c.system == "bitbucket", c.scope), else_=literal("")),
    }
    joined = finding_changes.join(findings, c.fingerprint == change.fingerprint)
    lasted = {"open_seconds": _unix(c.resolved_at, dialect) - _unix(c.first_seen, dialect)}
    resolved = _unix(c.resolved_at, dialect)
    over = c.state == "resolved"
    return {
        "finding_changes": Source(
            joined, change.at, _unix(change.at, dialect), columns | {"change": change.change}, "own"
        ),
        "findings_over": Source(findings, c.resolved_at, resolved, columns | lasted, "own", only=over),
        "findings_open": Source(
            findings, c.first_seen, _unix(c.first_seen, dialect), columns, "own", over=c.resolved_at
        ),
    }


def _actions(dialect: str) -> Source:
    c = actions.c
    columns: dict[str, ColumnElement[Any]] = {
        "kind": c.kind,
        "outcome": c.state,
        "system": c.system,
        "repository": case((c.system == "bitbucket", c.scope), else_=literal("")),
    }
    return Source(actions, c.proposed_at, _unix(c.proposed_at, dialect), columns, "own")


def _unix(column: Column[Any], dialect: str) -> ColumnElement[int]:
    """A stored time as whole Unix seconds."""
    if dialect == "sqlite":
        return cast(func.strftime("%s", column), BigInteger)
    return cast(func.floor(func.extract("epoch", column)), BigInteger)
