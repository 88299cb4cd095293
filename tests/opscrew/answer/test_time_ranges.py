"""Spans of time are found in words, on wall clocks that jump twice a year."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from opscrew.answer.time_ranges import TimeRange, find_range

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)
"""A Tuesday, 14:00 in Berlin."""


def span(words: str, now: datetime = NOW) -> TimeRange:
    found = find_range(words, now, BERLIN)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("words", "start", "end"),
    [
        ("since yesterday evening", "10-05 18:00", "10-06 14:00"),
        ("this morning", "10-06 05:00", "10-06 12:00"),
        ("last week", "09-28 00:00", "10-05 00:00"),
        ("between 14:00 and 15:30 yesterday", "10-05 14:00", "10-05 15:30"),
        ("between 14:00 and 15:30", "10-05 14:00", "10-05 15:30"),
        ("between 22:00 and 2:00 on Sunday", "10-04 22:00", "10-05 02:00"),
        ("on Monday", "10-05 00:00", "10-06 00:00"),
        ("last Tuesday", "09-29 00:00", "09-30 00:00"),
        ("in the last 3 hours", "10-06 11:00", "10-06 14:00"),
        ("two days ago", "10-04 00:00", "10-05 00:00"),
        ("since 2 hours ago", "10-06 12:00", "10-06 14:00"),
        ("on 2026-10-01", "10-01 00:00", "10-02 00:00"),
        ("on the 3rd of October", "10-03 00:00", "10-04 00:00"),
        ("since 9am", "10-06 09:00", "10-06 14:00"),
        ("over the weekend", "10-03 00:00", "10-05 00:00"),
        ("last night", "10-05 18:00", "10-06 08:00"),
    ],
)
def test_what_people_say(words: str, start: str, end: str) -> None:
    found = span(f"what failed {words}?")
    assert f"{found.start.astimezone(BERLIN):%m-%d %H:%M}" == start
    assert f"{found.end.astimezone(BERLIN):%m-%d %H:%M}" == end


def test_builds_are_counted_not_hours() -> None:
    assert span("show the last three builds of shop").builds == 3


@pytest.mark.parametrize(
    ("now", "hours"), [(datetime(2026, 10, 26, 12, 0, tzinfo=UTC), 25), (datetime(2026, 3, 30, 12, 0, tzinfo=UTC), 23)]
)
def test_a_day_with_a_change_of_the_clock_has_its_own_length(now: datetime, hours: int) -> None:
    found = span("yesterday", now)
    assert found.end - found.start == timedelta(hours=hours)


def test_hours_are_hours_also_over_a_change_of_the_clock() -> None:
    now = datetime(2026, 10, 25, 2, 0, tzinfo=UTC)  # 03:00 in Berlin, an hour after it was 03:00 the first time
    assert span("in the last 3 hours", now).start == now - timedelta(hours=3)


def test_a_time_that_the_clock_skips_is_still_a_time() -> None:
    now = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)
    found = span("since 02:30", now)
    assert found.start == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "words", ["why did #42 fail?", "scale cart to 5 replicas", "at 99:99", "on 2026-13-45", "31 feb"]
)
def test_numbers_that_are_no_times(words: str) -> None:
    assert find_range(words, NOW, BERLIN) is None
