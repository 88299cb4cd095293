"""Days, weeks and hours are those of the zone, also where its clocks change: at midnight, by half an hour, by a day.

Public reports tell of charts that count days in UTC, that add today's offset to a whole year, or that take a day for 24
hours: each shows up on one of these days.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, Column, Engine, MetaData, Table, delete, insert, select

from opscrew.measures.calendar import grouped_by, label_of, offsets
from tests.support.ci_month import utc

CHANGES = [
    ("Europe/Berlin", utc(2026, 10, 24)),
    ("America/New_York", utc(2026, 3, 7)),
    ("America/Sao_Paulo", utc(2018, 11, 3)),  # at midnight: that day begins at one o'clock
    ("Asia/Beirut", utc(2026, 10, 24)),  # back over midnight: an hour of the day before comes twice
    ("Australia/Lord_Howe", utc(2026, 4, 4)),  # by half an hour
    ("Pacific/Apia", utc(2011, 12, 29)),  # a day that does not exist
    ("Asia/Kathmandu", utc(2026, 5, 5)),  # 5 h 45 min ahead
    ("UTC", utc(2026, 1, 1)),
]


MOMENTS = Table("moments", MetaData(), Column("at", BigInteger))


def test_each_moment_falls_where_the_zone_says(database: Engine) -> None:
    MOMENTS.create(database)
    for name, since in CHANGES:
        zone = ZoneInfo(name)
        moments = [since + timedelta(minutes=7 * step) for step in range(800)]
        changes = offsets(moments[0], moments[-1] + timedelta(seconds=1), zone)
        with database.begin() as connection:
            connection.execute(delete(MOMENTS))
            connection.execute(insert(MOMENTS), [{"at": int(moment.timestamp())} for moment in moments])
        for dimension in ("day", "week", "weekday", "hour_of_day"):
            query = select(MOMENTS.c.at, grouped_by(dimension, MOMENTS.c.at, changes))
            with database.connect() as connection:
                told = {at: label_of(dimension, number, zone) for at, number in connection.execute(query)}
            right = {int(moment.timestamp()): truth(dimension, moment.astimezone(zone)) for moment in moments}
            assert told == right, (name, dimension)


def truth(dimension: str, local: datetime) -> Any:
    monday = local.date() - timedelta(days=local.weekday())
    return {
        "day": local.date().isoformat(),
        "week": monday.isoformat(),
        "weekday": f"{local:%a}",
        "hour_of_day": f"{local:%H}",
    }[dimension]


def test_an_hour_that_comes_twice_is_two_hours() -> None:
    zone = ZoneInfo("Europe/Berlin")
    twice = [utc(2026, 10, 25) + timedelta(minutes=minutes) for minutes in (30, 90)]
    labels = [label_of("hour", int(moment.timestamp()) // 3600 * 3600, zone) for moment in twice]
    assert labels == ["2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00"]
