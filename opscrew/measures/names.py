"""What a query names: a repository without its workspace is completed, and names that nothing is known of are found."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, select, union

from opscrew.measures.catalogue import near
from opscrew.measures.query import Query
from opscrew.store.tables.ci_history import ci_coverage, ci_pipelines
from opscrew.store.tables.polling import poll_state

LISTED = select(poll_state.c.workspace + "/" + poll_state.c.repository)
"""What the watch knows to be there."""


def repositories_there(connection: Connection) -> list[str]:
    """Those that are watched now. What was deleted, or is no longer watched, has nothing more to come, and its old
    pipelines count without being waited for. Where nothing was listed yet, all that are known."""
    return sorted(str(row[0]) for row in connection.execute(LISTED)) or repositories(connection)


def repositories(connection: Connection) -> list[str]:
    """Every repository ("workspace/slug") that was ever listed, asked for or stored."""
    query = union(LISTED, select(ci_coverage.c.repository), select(ci_pipelines.c.repository).distinct())
    return sorted(str(row[0]) for row in connection.execute(query))


def with_workspace(connection: Connection, query: Query) -> tuple[Query, tuple[str, ...]]:
    """The query with whole names of repositories, and a sentence on each that is not known."""
    wanted = query.where.get("repository")
    if not wanted:
        return query, ()
    known = repositories(connection)
    whole: list[str] = []
    unknown = []
    for name in wanted:
        found = [one for one in known if name.lower() in (one.lower(), one.lower().partition("/")[2])]
        whole += found or [name]
        if not found:
            slugs = [one.partition("/")[2] for one in known]
            unknown.append(f"No repository {name} is known. {near(name.rpartition('/')[2], slugs)}".strip())
    return replace(query, where={**query.where, "repository": tuple(whole)}), tuple(unknown)
