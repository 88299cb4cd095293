"""Numbers as people read them: never all or none where it is nearly so, never a unit too much."""

from __future__ import annotations

import pytest

from opscrew.measures.catalogue import Unit, catalogue
from opscrew.measures.query import Asked, Value
from opscrew.measures.wording import compact, in_unit, title_of, told


@pytest.mark.parametrize(
    ("number", "unit", "long", "short"),
    [
        (0.826, "share", "83 %", "83%"),
        (1, "share", "100 %", "100%"),
        (0.996, "share", "99.6 %", "99.6%"),
        (0.99999, "share", ">99.9 %", ">99.9%"),
        (0.0001, "share", "<0.1 %", "<0.1%"),
        (0.004, "share", "0.4 %", "0.4%"),
        (0, "share", "0 %", "0%"),
        (5, "seconds", "5 s", "5s"),
        (4.25, "seconds", "4.2 s", "4.2s"),
        (59.7, "seconds", "1 min 00 s", "1m00s"),
        (125, "seconds", "2 min 05 s", "2m05s"),
        (7260, "seconds", "2 h 01 min", "2h01m"),
        (200_000, "seconds", "2 d 7 h", "2d7h"),
        (2.5, "minutes", "2.5 min", "2.5m"),
        (12_345.6, "minutes", "12,346 min", "12,346m"),
        (1204, "count", "1,204", "1,204"),
        (2.5, "count", "2.5", "2.5"),
    ],
)
def test_a_number_is_written_in_its_unit(number: float, unit: Unit, long: str, short: str) -> None:
    assert in_unit(number, unit) == long
    assert compact(long) == short


def test_too_few_runs_and_none_are_told_apart() -> None:
    assert told(Value(None, 2, runs=(60, 125)), "seconds") == "1 min 00 s, 2 min 05 s"
    assert told(Value(None), "seconds") == "–"
    assert told(Value(0), "count") == "0"


def test_a_title_says_how_values_were_added_up_and_what_is_derived() -> None:
    def title(label: str) -> str:
        name, _, how = label.partition(":")
        measure = catalogue()[name]
        return title_of(Asked(label, name, measure, how or measure.how[0]))  # type: ignore[arg-type]

    assert title("runs") == "builds"
    assert title("pipeline_duration:p95") == "duration of pipelines, 95 % within"
    assert title("queue_time") == "queue time of steps, median (derived)"
