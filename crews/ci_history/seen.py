"""Keeps what a list of a repository's newest pipelines shows. The watch does so with every look, at no request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from crews.runtime.context import CrewContext
from opscrew.ci_history.coverage import Coverage, after_newest, load_coverage
from opscrew.ci_history.keeping import keep_pipelines
from tools.bitbucket.records import Pipeline

COVERAGE_EVERY = timedelta(minutes=10)
"""How often "seen until" is written where nothing has changed: a look a minute would be a write a minute."""


def keep_since(context: CrewContext) -> datetime:
    """What began before this time is not kept."""
    part = context.settings.bitbucket
    assert part is not None, "the history of CI is kept only where Bitbucket is configured"
    return context.clock() - timedelta(days=part.keep_history_days)


def keep_looks(context: CrewContext, workspace: str, looks: Mapping[str, Sequence[Pipeline]], *, limit: int) -> None:
    """``looks`` are the newest pipelines by slug, at most ``limit`` each: fewer are all there are."""
    known = load_coverage(context.engine)
    for slug, pipelines in looks.items():
        repository = f"{workspace}/{slug}"
        before = known.get(repository) or Coverage(repository)
        keep_newest(context, before, pipelines, is_all=len(pipelines) < limit)


def keep_newest(context: CrewContext, known: Coverage, pipelines: Sequence[Pipeline], *, is_all: bool) -> Coverage:
    """Stores them and what is complete now. Returns that."""
    now, oldest = context.clock(), keep_since(context)
    created = [one.created_on for one in pipelines]
    coverage = after_newest(known, created, now, is_all=is_all, keep_since=oldest)
    moved = coverage.seen_until is not None and (
        known.seen_until is None or coverage.seen_until - known.seen_until >= COVERAGE_EVERY
    )
    same = (coverage.complete_since, coverage.is_whole, coverage.refused) == (
        known.complete_since,
        known.is_whole,
        known.refused,
    )
    wanted = [one for one in pipelines if one.created_on >= oldest]
    keep_pipelines(context.engine, known.repository, wanted, now, None if same and not moved else coverage)
    return coverage
