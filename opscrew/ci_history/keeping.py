"""Stores pipelines and steps, each once however often it is told, and works out what follows for its neighbours.

What has not changed since it was last read is not written again: a look at a busy repository brings the same fifty
pipelines every minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from importlib import import_module
from typing import Any

from sqlalchemy import Connection, Engine, Row, Table, bindparam, select, update

from opscrew.ci_history.attempts import Attempt, places, times_to_green
from opscrew.ci_history.coverage import Coverage, save_coverage
from opscrew.ci_history.facts import DECIDED, pipeline_facts, step_facts
from opscrew.store.database import chunks, reading, serialize_writers
from opscrew.store.tables.ci_history import ci_pipelines, ci_steps
from tools.bitbucket.records import Pipeline, PipelineStep, TestReportSummary

AREA = "ci_history"
ROWS_AT_ONCE = 1_000
"""Rows of one statement to PostgreSQL; SQLite takes them one by one anyway."""

ITS_OWN = ("run_number", "state", "ended_at", "duration_seconds", "trigger", "build")
"""Columns whose change means that a pipeline is stored anew."""

NEW = {"attempt": 1, "is_last": True, "failed_before": False, "passed_before": False, "failed_in_place": False}
_P = ci_pipelines.c
_ATTEMPT = (_P.id, _P.number, _P.trigger, _P.state, _P.created_at, _P.ended_at, _P.failed_in_place)


@dataclass(frozen=True)
class ReadSteps:
    """The steps of one pipeline, and the test reports that were asked for, by the step's place."""

    uuid: str
    created_at: datetime
    steps: tuple[PipelineStep, ...]
    tests: Mapping[int, TestReportSummary] = field(default_factory=dict)


def keep_pipelines(
    engine: Engine, repository: str, pipelines: Iterable[Pipeline], read_at: datetime, coverage: Coverage | None = None
) -> int:
    """Stores what is new or has changed, in one transaction with the coverage that speaks of it. Returns how many."""
    told = (pipeline_facts(repository, pipeline, read_at) for pipeline in pipelines)
    rows = {row["uuid"]: row for row in told}
    with reading(engine).connect() as connection:
        changed = _changed(_known(connection, repository, list(rows)), rows)
    if not changed and coverage is None:
        return 0
    with engine.begin() as connection:
        serialize_writers(connection, AREA)
        if changed:  # asked again, now that nobody else writes
            changed = _changed(_known(connection, repository, [row["uuid"] for row in changed]), rows)
            _upsert(connection, ci_pipelines, ("repository", "uuid"), changed, kept=("build_at", *list(NEW)[:-1]))
            _place(connection, repository, changed)
        if coverage is not None:
            save_coverage(connection, coverage)
    return len(changed)


def keep_steps(engine: Engine, repository: str, read: Sequence[ReadSteps]) -> int:
    """Stores the steps of pipelines that are stored. Those of unknown pipelines are left out. Returns how many."""
    with engine.begin() as connection:
        serialize_writers(connection, AREA)
        ids = {uuid: row.id for uuid, row in _known(connection, repository, [one.uuid for one in read]).items()}
        rows = [
            {"pipeline": ids[one.uuid], **row}
            for one in read
            if one.uuid in ids
            for row in step_facts(repository, one.created_at, one.steps, one.tests)
        ]
        _upsert(connection, ci_steps, ("pipeline", "position", "run_number"), rows, kept=())
        for some in chunks([one.uuid for one in read]):
            connection.execute(_mark(repository, some, "read"))
    return len(rows)


def mark_refused(engine: Engine, repository: str, uuids: Sequence[str]) -> None:
    """Their steps cannot be had: they are not asked for again, and not counted as known."""
    with engine.begin() as connection:
        for some in chunks(uuids):
            connection.execute(_mark(repository, some, "refused"))


def _mark(repository: str, uuids: Sequence[str], word: str) -> Any:
    return update(ci_pipelines).where(_P.repository == repository, _P.uuid.in_(uuids)).values(steps=word)


def _known(connection: Connection, repository: str, uuids: Sequence[str]) -> dict[str, Row[Any]]:
    columns = (_P.id, _P.uuid, _P.failed_in_place, *(_P[name] for name in ITS_OWN))
    query = select(*columns).where(_P.repository == repository)
    return {row.uuid: row for some in chunks(uuids) for row in connection.execute(query.where(_P.uuid.in_(list(some))))}


def _changed(known: Mapping[str, Row[Any]], rows: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows to write, complete with what only their history tells."""
    found = []
    for uuid, row in rows.items():
        before = known.get(uuid)
        if before is not None and all(_same(getattr(before, name), row[name]) for name in ITS_OWN):
            continue
        failed = before is not None and (
            before.failed_in_place or (before.state == "failed" and row["state"] != "failed")
        )
        found.append({**NEW, "build_at": row["created_at"], **row, "failed_in_place": failed, "steps": "wanted"})
    return found


def _same(stored: Any, told: Any) -> bool:
    return bool(stored == (told.replace(microsecond=0) if isinstance(told, datetime) else told))


def _upsert(
    connection: Connection, table: Table, key: tuple[str, ...], rows: Sequence[dict[str, Any]], *, kept: Iterable[str]
) -> None:
    """``kept`` are columns that a row which is there already keeps."""
    if not rows:
        return
    insert = import_module(f"sqlalchemy.dialects.{connection.dialect.name}").insert(table)
    taken = {name: insert.excluded[name] for name in rows[0] if name not in (*key, *kept)}
    statement = insert.on_conflict_do_update(index_elements=list(key), set_=taken)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        connection.execute(statement, rows[start : start + ROWS_AT_ONCE])


def _place(connection: Connection, repository: str, changed: Sequence[Mapping[str, Any]]) -> None:
    """Works out anew what the changed pipelines mean for others of the same build, and of the same target."""
    place_columns = ("build_at", "attempt", "is_last", "failed_before", "passed_before")
    _rework(
        connection,
        repository,
        ("build", {row["build"] for row in changed}),
        place_columns,
        lambda group: {id_: asdict(place) for id_, place in places(group).items()},
    )
    # A target that never failed has nothing to turn green again.
    decided = {row["target"] for row in changed if row["state"] in DECIDED}
    _rework(
        connection,
        repository,
        ("target", decided),
        ("green_after_seconds",),
        lambda group: {id_: {"green_after_seconds": value} for id_, value in times_to_green(group).items()},
    )


def _rework(
    connection: Connection,
    repository: str,
    groups: tuple[str, set[str]],
    columns: tuple[str, ...],
    judge: Callable[[list[Attempt]], dict[int, dict[str, Any]]],
) -> None:
    """Judges each group of pipelines anew, and writes what has changed by it."""
    name, values = groups
    query = select(_P[name].label("of"), *_ATTEMPT, *(_P[column].label(f"was_{column}") for column in columns))
    query = query.where(_P.repository == repository)
    changes = []
    for some in chunks(sorted(values)):
        rows: dict[str, list[Row[Any]]] = {}
        for row in connection.execute(query.where(_P[name].in_(list(some)))):
            rows.setdefault(row.of, []).append(row)
        for group in rows.values():
            was = {row.id: {column: getattr(row, f"was_{column}") for column in columns} for row in group}
            judged = judge([Attempt(*row[1 : 1 + len(_ATTEMPT)]) for row in group])
            changes += [{"row": id_, **now} for id_, now in judged.items() if now != was[id_]]
    if changes:
        statement = update(ci_pipelines).where(_P.id == bindparam("row"))
        connection.execute(statement.values({column: bindparam(column) for column in columns}), changes)
