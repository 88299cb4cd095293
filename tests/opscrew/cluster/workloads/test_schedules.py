"""Cron schedules against times worked out by hand, also where clocks change."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from opscrew.cluster.workloads.cron import ScheduleError, parse_schedule


@pytest.mark.parametrize(
    ("schedule", "zone", "after", "runs"),
    [
        ("*/15 * * * *", "", "2026-10-06T12:01", ["2026-10-06T12:15", "2026-10-06T12:30"]),
        ("0 9-17/4 * * mon-fri", "", "2026-10-09T10:00", ["2026-10-09T13:00", "2026-10-09T17:00"]),
        ("30 2 1 * *", "", "2026-01-15T00:00", ["2026-02-01T02:30", "2026-03-01T02:30"]),
        ("0 0 29 2 *", "", "2026-01-01T00:00", ["2028-02-29T00:00"]),
        ("0 0 13 * 5", "", "2026-02-01T00:00", ["2026-02-06T00:00", "2026-02-13T00:00"]),
        ("0 0 * * 7", "", "2026-10-06T00:00", ["2026-10-11T00:00", "2026-10-18T00:00"]),
        ("0 8 * * *", "Europe/Berlin", "2026-10-24T07:00", ["2026-10-25T07:00", "2026-10-26T07:00"]),
        ("TZ=Europe/Berlin 0 8 * * *", "", "2026-10-24T00:00", ["2026-10-24T06:00", "2026-10-25T07:00"]),
        ("0 5 * jan *", "", "2026-12-31T06:00", ["2027-01-01T05:00", "2027-01-02T05:00"]),
    ],
)
def test_the_next_runs(schedule: str, zone: str, after: str, runs: list[str]) -> None:
    begin = datetime.fromisoformat(after).replace(tzinfo=UTC)
    end = begin.replace(year=begin.year + 3)
    found = parse_schedule(schedule, zone).runs_between(begin, end, limit=len(runs))
    assert [run.strftime("%Y-%m-%dT%H:%M") for run in found] == runs


@pytest.mark.parametrize(
    "schedule", ["", "* * * *", "60 * * * *", "* * * * mo", "*/0 * * * *", "5-1 * * * *", "@often", "a b c d e"]
)
def test_what_kubernetes_refuses_is_refused(schedule: str) -> None:
    with pytest.raises(ScheduleError):
        parse_schedule(schedule)


def test_an_unknown_zone_is_named() -> None:
    with pytest.raises(ScheduleError, match="Mars/Base"):
        parse_schedule("* * * * *", "Mars/Base")
