"""What is complete is told only as far as lists have joined without a gap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from opscrew.ci_history.coverage import FIRST, Coverage, after_newest, after_older, connects

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
OLD = NOON - timedelta(days=400)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def newest(known: Coverage, *minutes: float, asked: float, is_all: bool = False) -> Coverage:
    return after_newest(known, [at(one) for one in minutes], at(asked), is_all=is_all, keep_since=OLD)


def test_lists_that_join_grow_what_is_known() -> None:
    first = newest(Coverage("r"), 0, 10, 20, asked=30)
    second = newest(first, 15, 20, 40, asked=50)
    assert (second.complete_since, second.seen_until) == (at(0) + timedelta(seconds=1), at(50))


def test_a_gap_begins_anew() -> None:
    first = newest(Coverage("r"), 0, 10, 20, asked=30)
    second = newest(first, 29, 40, asked=50)
    assert second.complete_since == at(29) + timedelta(seconds=1)
    assert not second.is_whole


def test_a_list_of_all_there_is_knows_the_beginning() -> None:
    assert newest(Coverage("r"), asked=5, is_all=True).complete_since == FIRST
    found = newest(Coverage("r"), 1, 2, asked=5, is_all=True)
    assert (found.complete_since, found.is_whole) == (FIRST, True)


def test_what_is_not_kept_is_not_called_complete() -> None:
    years = -60 * 24 * 800
    assert newest(Coverage("r"), years, 2, asked=5, is_all=True).complete_since == OLD


def test_going_back_counts_only_what_joins() -> None:
    known = newest(Coverage("r"), 100, 120, asked=130)
    assert connects(known, [at(100), at(90)])
    assert connects(known, [at(110), at(90)])
    assert not connects(known, [at(99), at(90)])
    grown = after_older(known, [at(100), at(90)], at(140), is_last=False, keep_since=OLD)
    assert (grown.complete_since, grown.seen_until) == (at(90) + timedelta(seconds=1), at(130))
    done = after_older(grown, [at(90), at(70)], at(141), is_last=True, keep_since=OLD)
    assert (done.complete_since, done.is_whole) == (FIRST, True)


def test_going_back_ends_where_nothing_is_kept() -> None:
    known = newest(Coverage("r"), 100, asked=130)
    older = [at(100), OLD - timedelta(days=1)]
    grown = after_older(known, older, at(140), is_last=False, keep_since=OLD)
    assert (grown.complete_since, grown.is_whole) == (OLD, True)
