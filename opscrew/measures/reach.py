"""Of how much of the whole a table tells, so that a sample is never told as all of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, case, func, select

from opscrew.ci_history.coverage import FIRST
from opscrew.ci_history.coverage import Coverage as Read
from opscrew.ci_history.facts import FINISHED
from opscrew.measures.names import repositories_there
from opscrew.measures.query import Coverage, Query, Span
from opscrew.measures.sources import Source
from opscrew.store.tables.ci_history import ci_coverage, ci_pipelines
from opscrew.store.tables.runs import runs

STALE = timedelta(hours=2)
"""Longer than the watch leaves any repository alone: what was last read before that may lack the latest builds."""

NAMED = 3
"""Repositories named that are not complete; the others are counted."""


def reach_of(
    connection: Connection, query: Query, span: Span, used: Mapping[str, Source], *, now: datetime, zone: ZoneInfo
) -> Coverage:
    """Of all sources that the query's measures count from."""
    reaches = {source.reach for source in used.values()}
    parts: list[Coverage] = []
    if reaches & {"ci", "steps"}:
        parts.append(_of_pipelines(connection, query, span, now, zone))
    if "steps" in reaches:
        parts.append(_of_steps(connection, query, span))
    if "own" in reaches:
        parts.append(_of_records(connection, span, now, zone))
    first = parts[0]
    return Coverage(
        "; ".join(one.text for one in parts),
        all(one.is_whole for one in parts),
        (),
        first.repositories,
        first.complete,
        first.complete_since,
        all(one.knows_zero for one in parts),
    )


def _of_pipelines(connection: Connection, query: Query, span: Span, now: datetime, zone: ZoneInfo) -> Coverage:
    names = query.where.get("repository") or tuple(repositories_there(connection))
    rows = {row.repository: Read(**row._mapping) for row in connection.execute(select(ci_coverage))}
    known = [rows.get(name) or Read(name) for name in names]
    if not known:
        return Coverage("no repository has been read yet", False, knows_zero=False)
    complete = [one for one in known if one.complete_since is not None and one.complete_since <= span.since]
    lacking = sorted((one for one in known if one not in complete), key=lambda one: one.repository)
    since = max((one.complete_since for one in known if one.complete_since is not None), default=None)
    text = f"{len(complete)} of {_counted(len(known))}"
    if lacking:
        text += " complete for this time"
        text += f"; {_listed([_since(one, zone, now) for one in lacking])}"
    else:
        text += f", complete {_from(since, zone, now)}"
    late = [one for one in known if one.seen_until is not None and one.seen_until < min(span.until, now) - STALE]
    if late:
        text += f"; {_listed([_last_read(one, zone, now) for one in late])}"
    return Coverage(text, not lacking and not late, (), len(known), len(complete), since, bool(complete))


def _of_steps(connection: Connection, query: Query, span: Span) -> Coverage:
    """Steps cost a request for each pipeline, and so may be known of fewer."""
    c = ci_pipelines.c
    counted = select(func.count(), func.sum(case((c.steps == "read", 1), else_=0)))
    counted = counted.where(c.created_at >= span.since, c.created_at < span.until, c.state.in_(FINISHED))
    if "repository" in query.where:
        counted = counted.where(c.repository.in_(query.where["repository"]))
    total, read = connection.execute(counted).one()
    return Coverage(f"steps known of {int(read or 0)} of {total} finished pipelines", int(read or 0) == total)


def _of_records(connection: Connection, span: Span, now: datetime, zone: ZoneInfo) -> Coverage:
    """The crew's records begin with its first run. Old runs are forgotten, so this tells too little rather than too
    much."""
    began = connection.execute(select(func.min(runs.c.started_at))).scalar()
    if began is None:
        return Coverage("the crew has not run yet", False, knows_zero=False)
    return Coverage(f"the crew's own records, since {_moment(began, zone, now)}", began <= span.since)


def _counted(count: int) -> str:
    return f"{count} {'repository' if count == 1 else 'repositories'}"


def _listed(told: list[str]) -> str:
    more = [f"{len(told) - NAMED} more"] if len(told) > NAMED else []
    return ", ".join(told[:NAMED] + more)


def _since(one: Read, zone: ZoneInfo, now: datetime) -> str:
    slug = one.repository.partition("/")[2]
    if one.complete_since is None:
        return f"{slug} {'cannot be read' if one.refused else 'not read yet'}"
    return f"{slug} since {_moment(one.complete_since, zone, now)}"


def _last_read(one: Read, zone: ZoneInfo, now: datetime) -> str:
    assert one.seen_until is not None
    slug, local = one.repository.partition("/")[2], one.seen_until.astimezone(zone)
    word = "cannot be read any more, the last time" if one.refused else "last read"
    day = "" if local.date() == now.astimezone(zone).date() else f"{_moment(one.seen_until, zone, now)} "
    return f"{slug} {word} {day}{local:%H:%M}"


def _from(since: datetime | None, zone: ZoneInfo, now: datetime) -> str:
    return "from the first pipeline on" if since is None or since == FIRST else f"since {_moment(since, zone, now)}"


def _moment(moment: datetime, zone: ZoneInfo, now: datetime) -> str:
    """ "2 Nov", with the year where it is another, and with the time of day on the present day."""
    local, today = moment.astimezone(zone), now.astimezone(zone)
    if local.date() == today.date():
        return f"{local:%H:%M} today"
    year = f" {local.year}" if local.year != today.year else ""
    return f"{local.day} {local:%b}{year}"
