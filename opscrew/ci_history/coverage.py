"""What was read of each repository, without a gap: from when, and until when. Pure, and the rows it is kept in.

A list of pipelines always begins with the newest. As long as it reaches back to what was known before, the known part
grows; where it does not, there is a gap, and what is complete begins anew. Older rows stay, but are not told as the
whole until the back-fill has come by them again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, delete, insert, select

from opscrew.store.database import reading
from opscrew.store.tables.ci_history import ci_coverage

FIRST = datetime(1970, 1, 1, tzinfo=UTC)
"""``complete_since`` where everything there ever was is known."""

CLOCK_DIFFERENCE = timedelta(minutes=2)
"""Between Bitbucket's clock and ours, so that nothing slips through between two lists."""

ONE_SECOND = timedelta(seconds=1)
"""Times are kept in whole seconds: of those that began in the oldest second, some may stand on the next page."""


@dataclass(frozen=True)
class Coverage:
    """Everything created from ``complete_since`` to ``seen_until`` is stored. ``is_whole``: nothing older is wanted."""

    repository: str
    complete_since: datetime | None = None
    seen_until: datetime | None = None
    is_whole: bool = False
    refused: str = ""
    tried_at: datetime | None = None


def after_newest(
    known: Coverage, created: Sequence[datetime], asked_at: datetime, *, is_all: bool, keep_since: datetime
) -> Coverage:
    """A list of the newest pipelines came, with these creation times; ``is_all`` when there are no others. What is
    older than ``keep_since`` is not stored."""
    fresh = replace(known, seen_until=asked_at, refused="", tried_at=asked_at)
    if is_all:
        return replace(fresh, complete_since=_end(created, keep_since), is_whole=True)
    if not created:
        return replace(known, tried_at=asked_at)  # no list of the newest is empty unless it is all
    if _is_joined(known, created):
        return fresh
    return replace(fresh, complete_since=_second_after(min(created)), is_whole=False)


def after_older(
    known: Coverage, created: Sequence[datetime], asked_at: datetime, *, is_last: bool, keep_since: datetime
) -> Coverage:
    """A page further back came, which ``connects``; ``is_last`` when there is none behind it."""
    fresh = replace(known, refused="", tried_at=asked_at)
    if is_last:
        return replace(fresh, complete_since=_end(created, keep_since), is_whole=True)
    oldest = min(_second_after(min(created)), known.complete_since or keep_since)
    return replace(fresh, complete_since=max(oldest, keep_since), is_whole=oldest <= keep_since)


def connects(known: Coverage, created: Sequence[datetime]) -> bool:
    """Whether a page begins within what is known, so that nothing lies between the two."""
    since = known.complete_since
    return since is not None and bool(created) and max(created) >= since - ONE_SECOND


def load_coverage(engine: Engine) -> dict[str, Coverage]:
    """Of every repository ("workspace/slug") that was ever asked for."""
    with reading(engine).connect() as connection:
        return {row.repository: Coverage(**row._mapping) for row in connection.execute(select(ci_coverage))}


def save_coverage(connection: Connection, known: Coverage) -> None:
    """Within the transaction that stores what it speaks of."""
    connection.execute(delete(ci_coverage).where(ci_coverage.c.repository == known.repository))
    connection.execute(insert(ci_coverage).values(**vars(known)))


def _end(created: Sequence[datetime], keep_since: datetime) -> datetime:
    """From when on it is complete, where the list has reached the first pipeline there is."""
    return keep_since if created and min(created) < keep_since else FIRST


def _is_joined(known: Coverage, created: Sequence[datetime]) -> bool:
    if known.seen_until is None or known.complete_since is None or not created:
        return False
    return min(created) <= known.seen_until - CLOCK_DIFFERENCE


def _second_after(moment: datetime) -> datetime:
    return moment.replace(microsecond=0) + ONE_SECOND
