"""How a number is written for people: 83 %, 2 min 05 s, 1,204."""

from __future__ import annotations

from opscrew.measures.catalogue import How, Unit
from opscrew.measures.query import Asked, Value

NOTHING = "–"
"""No number: there was nothing to count it from."""

HOWS: dict[How, str] = {"mean": "average", "p50": "median", "p95": "95 % within", "max": "longest", "sum": "in all"}
"""Added to the title of a measure that has a value; counts and shares need no word."""


def title_of(column: Asked) -> str:
    """ "duration of pipelines, median"; "builds"."""
    measure = column.measure
    word = HOWS.get(column.how, "") if len(measure.how) > 1 else ""
    if column.how == "max" and measure.unit == "count":
        word = "most"
    return f"{measure.title}{f', {word}' if word else ''}{' (derived)' if measure.derived else ''}"


def told(value: Value, unit: Unit) -> str:
    """The number with its unit. Of too few runs, the runs themselves."""
    if value.number is not None:
        return in_unit(value.number, unit)
    return ", ".join(in_unit(one, unit) for one in value.runs) or NOTHING


def compact(text: str) -> str:
    """The same for a narrow column: 2m05s, 83%, 60s,120s."""
    for long, short in (
        (" min ", "m"),
        (" h ", "h"),
        (" min", "m"),
        (" s", "s"),
        (" d ", "d"),
        (" %", "%"),
        (", ", ","),
    ):
        text = text.replace(long, short)
    return text.replace(" h", "h")


def in_unit(number: float, unit: Unit) -> str:
    """Without a fraction where it would say nothing."""
    if unit == "share":
        return _share(number)
    if unit == "seconds":
        return _length(number)
    if unit == "minutes":
        return f"{number:,.0f} min" if abs(number) >= 10 else f"{number:.1f} min"
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:,.1f}"


def _share(number: float) -> str:
    """Never "100 %" or "0 %" for what is not all or none."""
    percent = number * 100
    if 0 < percent < 1 or 99 < percent < 100:
        return f"{percent:.1f} %" if 0.05 <= percent <= 99.95 else ("<0.1 %" if percent < 1 else ">99.9 %")
    return f"{percent:.0f} %"


def _length(seconds: float) -> str:
    if abs(seconds) < 10 and not float(seconds).is_integer():
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02d} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h"
