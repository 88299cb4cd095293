"""Times through both changes of daylight saving, and what counts as missed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from crews.runtime.schedule import Appointment
from opscrew.errors import UsageError
from server.triggers import trigger_of, was_missed

BERLIN = ZoneInfo("Europe/Berlin")
DEADLINE = timedelta(minutes=1)


def cron(line: str, jitter: timedelta = timedelta(0)):
    return trigger_of(Appointment("x", DEADLINE, cron=line, jitter=jitter), BERLIN)


def times(trigger, start: datetime, end: datetime) -> list[datetime]:
    """Every time in between, in UTC."""
    found, previous, now = [], None, start
    while True:
        previous = trigger.get_next_fire_time(previous, now)
        if previous is None or previous.astimezone(UTC) >= end.astimezone(UTC):
            return found
        now = previous
        found.append(previous.astimezone(UTC))


@pytest.mark.parametrize(
    ("line", "first_day", "expected"),
    [
        # 29 March 2026: 02:00 becomes 03:00. 02:30 does not exist and runs at 03:30 summer time, 01:30 UTC.
        ("30 2 * * *", datetime(2026, 3, 28, 12, tzinfo=BERLIN), ["29 01:30", "30 00:30"]),
        ("0 7 * * *", datetime(2026, 3, 28, 12, tzinfo=BERLIN), ["29 05:00", "30 05:00"]),
        # 25 October 2026: 03:00 becomes 02:00. 02:30 comes twice and runs once.
        ("30 2 * * *", datetime(2026, 10, 24, 12, tzinfo=BERLIN), ["25 00:30", "26 01:30"]),
        ("0 7 * * *", datetime(2026, 10, 24, 12, tzinfo=BERLIN), ["25 06:00", "26 06:00"]),
    ],
)
def test_a_daily_time_comes_once_each_day(line: str, first_day: datetime, expected: list[str]) -> None:
    found = times(cron(line), first_day, first_day + timedelta(days=2))
    assert [time.strftime("%d %H:%M") for time in found] == expected


@pytest.mark.parametrize("day", [datetime(2026, 3, 28, 20, tzinfo=BERLIN), datetime(2026, 10, 24, 20, tzinfo=BERLIN)])
def test_hourly_means_every_real_hour(day: datetime) -> None:
    start = day.astimezone(UTC)
    found = times(cron("30 * * * *"), day, start + timedelta(hours=12))
    assert [b - a for a, b in pairwise(found)] == [timedelta(hours=1)] * 11


@pytest.mark.parametrize("day", [datetime(2026, 3, 29, 0, tzinfo=BERLIN), datetime(2026, 10, 25, 0, tzinfo=BERLIN)])
def test_an_interval_is_real_time(day: datetime) -> None:
    trigger = trigger_of(Appointment("x", DEADLINE, every=timedelta(minutes=45)), BERLIN)
    previous, found = day, []
    for _ in range(10):
        previous = trigger.get_next_fire_time(previous, previous)
        found.append(previous.astimezone(UTC))
    assert {b - a for a, b in pairwise(found)} == {timedelta(minutes=45)}


def test_jitter_only_delays_and_never_doubles_a_day() -> None:
    start = datetime(2026, 6, 1, tzinfo=BERLIN)
    found = times(cron("0 7 * * *", timedelta(minutes=10)), start, start + timedelta(days=30))
    assert len(found) == 30
    assert all(
        timedelta(0) <= time - time.replace(hour=5, minute=0, second=0, microsecond=0) <= timedelta(minutes=10)
        for time in found
    )


@pytest.mark.parametrize(
    ("last", "now", "missed"),
    [
        (None, datetime(2026, 6, 2, 8, tzinfo=BERLIN), False),
        (datetime(2026, 6, 1, 7, tzinfo=BERLIN), datetime(2026, 6, 2, 6, tzinfo=BERLIN), False),
        (datetime(2026, 6, 1, 7, tzinfo=BERLIN), datetime(2026, 6, 2, 8, tzinfo=BERLIN), True),
        (datetime(2026, 6, 1, 7, tzinfo=BERLIN), datetime(2026, 6, 9, 6, tzinfo=BERLIN), True),
        (
            datetime(2026, 6, 3, 7, tzinfo=BERLIN),
            datetime(2026, 6, 2, 8, tzinfo=BERLIN),
            False,
        ),  # the clock was set back
    ],
)
def test_what_was_missed_follows_from_the_last_run(last: datetime | None, now: datetime, missed: bool) -> None:
    assert was_missed(cron("0 7 * * *"), last, now, BERLIN) is missed


def test_a_senseless_time_is_one_clear_line() -> None:
    with pytest.raises(UsageError, match="schedule of x: '61 7"):
        cron("61 7 * * *")
