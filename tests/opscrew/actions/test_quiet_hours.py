"""Quiet hours are hours on the wall, also when the wall clock is changed."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from opscrew.actions.quiet_hours import parse_quiet_hours
from opscrew.errors import UsageError

BERLIN = ZoneInfo("Europe/Berlin")


def quiet_minutes(text: str, first: datetime, hours: int) -> list[datetime]:
    """The quiet minutes among the real minutes after ``first``."""
    quiet = parse_quiet_hours(text, BERLIN)
    minutes = (first.astimezone(UTC) + timedelta(minutes=n) for n in range(hours * 60))
    return [minute for minute in minutes if quiet.cover(minute)]


def test_an_ordinary_night_spans_midnight() -> None:
    covered = quiet_minutes("22:00-06:00", datetime(2026, 6, 1, 12, tzinfo=BERLIN), 24)
    assert len(covered) == 8 * 60
    assert covered[0] == datetime(2026, 6, 1, 20, tzinfo=UTC)  # 22:00 in summer
    assert covered[-1] == datetime(2026, 6, 2, 3, 59, tzinfo=UTC)


def test_the_night_in_which_an_hour_is_skipped_is_an_hour_shorter() -> None:
    covered = quiet_minutes("22:00-06:00", datetime(2026, 3, 28, 12, tzinfo=BERLIN), 24)
    assert len(covered) == 7 * 60
    assert covered[0] == datetime(2026, 3, 28, 21, tzinfo=UTC)
    assert covered[-1] == datetime(2026, 3, 29, 3, 59, tzinfo=UTC)  # 05:59 in summer time


def test_the_night_in_which_an_hour_happens_twice_is_an_hour_longer() -> None:
    covered = quiet_minutes("22:00-06:00", datetime(2026, 10, 24, 12, tzinfo=BERLIN), 25)
    assert len(covered) == 9 * 60
    assert covered[-1] == datetime(2026, 10, 25, 4, 59, tzinfo=UTC)  # 05:59 in winter time


def test_hours_inside_the_change_count_twice_or_not_at_all() -> None:
    assert len(quiet_minutes("02:00-03:00", datetime(2026, 10, 25, 0, tzinfo=BERLIN), 8)) == 120
    assert quiet_minutes("02:00-03:00", datetime(2026, 3, 29, 0, tzinfo=BERLIN), 8) == []


def test_the_start_is_quiet_and_the_end_is_not() -> None:
    quiet = parse_quiet_hours("12:00-13:30", BERLIN)
    answers = [
        quiet.cover(datetime(2026, 6, 1, hour, minute, tzinfo=BERLIN))
        for hour, minute in ((11, 59), (12, 0), (13, 29), (13, 30))
    ]
    assert answers == [False, True, True, False]


def test_several_ranges_a_whole_day_and_none() -> None:
    day = datetime(2026, 6, 1, tzinfo=BERLIN)
    assert len(quiet_minutes("00:00-01:00, 12:00-13:00", day, 24)) == 120
    assert len(quiet_minutes("00:00-24:00", day, 24)) == 24 * 60
    assert quiet_minutes("", day, 24) == []


@pytest.mark.parametrize("text", ["nights", "22-06", "25:00-06:00", "22:60-06:00", "06:00-06:00", "24:00-06:00"])
def test_what_cannot_be_read_is_an_error_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="quiet_hours") as caught:
        parse_quiet_hours(text, BERLIN)
    assert "22:00-06:00" in caught.value.hint
