"""Spans of time are found in words, on wall clocks that jump twice a year."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from opscrew.answer.times.ranges import TimeRange, find_range

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)
"""A Tuesday, 14:00 in Berlin."""


WEDNESDAY = datetime(2026, 4, 8, 8, 20, tzinfo=UTC)
"""10:20 in Berlin."""


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


@pytest.mark.parametrize(
    ("words", "start", "end"),
    [
        ("between 9 and 11", "2026-04-08 09:00", "2026-04-08 10:20"),
        ("between 9 and 11 pm", "2026-04-07 21:00", "2026-04-07 23:00"),
        ("9-11 this morning", "2026-04-08 09:00", "2026-04-08 10:20"),
        ("between noon and 2", "2026-04-07 12:00", "2026-04-07 14:00"),
        ("from 22:00 yesterday to 06:00 today", "2026-04-07 22:00", "2026-04-08 06:00"),
        ("from yesterday 10pm till now", "2026-04-07 22:00", "2026-04-08 10:20"),
        ("at 9 last night", "2026-04-07 20:30", "2026-04-07 21:30"),
        ("last night around 2", "2026-04-08 01:30", "2026-04-08 02:30"),
        ("since 6pm yesterday", "2026-04-07 18:00", "2026-04-08 10:20"),
        ("yesterday after 6pm", "2026-04-07 18:00", "2026-04-08 00:00"),
        ("yesterday before 9", "2026-04-07 00:00", "2026-04-07 09:00"),
        ("after lunch", "2026-04-07 13:00", "2026-04-08 10:20"),
        ("at 14:05 UTC", "2026-04-07 15:35", "2026-04-07 16:35"),
        ("2026-04-07T14:05:00Z", "2026-04-07 15:35", "2026-04-07 16:35"),
        ("10:00-12:00 utc on monday", "2026-04-06 12:00", "2026-04-06 14:00"),
        ("in the last 24h", "2026-04-07 10:20", "2026-04-08 10:20"),
        ("in the past 1.5 hours", "2026-04-08 08:50", "2026-04-08 10:20"),
        ("an hour and a half ago", "2026-04-08 08:20", "2026-04-08 09:20"),
        ("since two hours", "2026-04-08 08:20", "2026-04-08 10:20"),
        ("in the past week", "2026-04-01 10:20", "2026-04-08 10:20"),
        ("the week before last", "2026-03-23 00:00", "2026-03-30 00:00"),
        ("on monday last week", "2026-03-30 00:00", "2026-03-31 00:00"),
        ("from friday evening to monday morning", "2026-04-03 18:00", "2026-04-06 12:00"),
        ("mon-wed", "2026-04-06 00:00", "2026-04-08 10:20"),
        ("two weekends ago", "2026-03-28 00:00", "2026-03-30 00:00"),
        ("today and yesterday", "2026-04-07 00:00", "2026-04-08 10:20"),
        ("on the last week of march", "2026-03-25 00:00", "2026-04-01 00:00"),
        ("on the first monday of april", "2026-04-06 00:00", "2026-04-07 00:00"),
        ("in march", "2026-03-01 00:00", "2026-04-01 00:00"),
        ("january through march", "2026-01-01 00:00", "2026-04-01 00:00"),
        ("in early march", "2026-03-01 00:00", "2026-03-12 00:00"),
        ("late yesterday", "2026-04-07 15:50", "2026-04-08 00:00"),
        ("in the first quarter", "2026-01-01 00:00", "2026-04-01 00:00"),
        ("last year", "2025-01-01 00:00", "2026-01-01 00:00"),
        ("31 march 2025", "2025-03-31 00:00", "2025-04-01 00:00"),
        ("from 1 to 3 april", "2026-04-01 00:00", "2026-04-04 00:00"),
        ("since the 3rd", "2026-04-03 00:00", "2026-04-08 10:20"),
        ("on the 31st", "2026-03-31 00:00", "2026-04-01 00:00"),
        ("since 1.4.", "2026-04-01 00:00", "2026-04-08 10:20"),
        ("in the week of april 1", "2026-03-30 00:00", "2026-04-06 00:00"),
        ("in calendar week 14", "2026-03-30 00:00", "2026-04-06 00:00"),
        ("since christmas", "2025-12-25 00:00", "2026-04-08 10:20"),
        ("before friday", "2026-03-27 00:00", "2026-04-03 00:00"),
    ],
)
def test_pieces_of_a_time_are_put_together(words: str, start: str, end: str) -> None:
    found = span(f"what failed {words}?", WEDNESDAY)
    assert f"{found.start.astimezone(BERLIN):%Y-%m-%d %H:%M}" == start
    assert f"{found.end.astimezone(BERLIN):%Y-%m-%d %H:%M}" == end


@pytest.mark.parametrize(
    "words",
    [
        "will the disk be full within 3 days", "what runs next monday", "does it fail every night", "the second step",
        "tell me about 42", "scale cart from 3 to 5 replicas", "may i restart cart", "what sat idle", "p95 over 500",
        "did the night build pass", "release 10.30", "the end of the pipeline", "last 0 builds", "29 february",
    ],
)  # fmt: skip
def test_words_of_time_that_name_no_past(words: str) -> None:
    assert find_range(words, WEDNESDAY, BERLIN) is None


def test_an_hour_that_comes_twice_is_covered_twice() -> None:
    found = span("between 2:00 and 2:30", datetime(2026, 10, 25, 12, 0, tzinfo=UTC))
    assert found.end - found.start == timedelta(minutes=90)


@pytest.mark.parametrize(
    "words", ["999 years ago", "last 999999 hours", "1/1/1", "00:00 24:00 99:99", "- to -", "of of of"]
)
def test_absurd_times_break_nothing(words: str) -> None:
    find_range(words, WEDNESDAY, BERLIN)


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
