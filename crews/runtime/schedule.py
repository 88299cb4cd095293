"""Reads when each crew runs (``tasks/schedule.yaml``) and refuses what it cannot mean.

Only the reading lives here; turning an appointment into a timer is the daemon's business (``server/triggers.py``).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from opscrew.errors import UsageError
from opscrew.strict_yaml import line_of, read_strictly

SCHEDULE_FILE = Path(__file__).resolve().parents[2] / "tasks" / "schedule.yaml"

KEYS = ("every", "cron", "jitter", "deadline")
SHORTEST_INTERVAL = timedelta(seconds=1)

Wrong = Callable[..., UsageError]
"""Makes the error from what is wrong and the names that lead to its place."""

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION = re.compile(r"(\d{1,6})([smhd])")


@dataclass(frozen=True)
class Appointment:
    """One crew's place in the schedule: exactly one of ``every`` and ``cron`` (five fields) is given."""

    crew: str
    deadline: timedelta
    every: timedelta | None = None
    cron: str = ""
    jitter: timedelta = timedelta(0)


def load(path: Path = SCHEDULE_FILE, known_crews: Collection[str] = ()) -> tuple[Appointment, ...]:
    """Every appointment, in the file's order. Raises ``UsageError`` with one line that names the place."""
    try:
        entries, tree = read_strictly(path)
    except UsageError as problem:
        words = f"cannot be read as a schedule: {problem.message}"
        raise UsageError(words, "Compare tasks/schedule.yaml.") from problem
    if entries is None:
        return ()
    if not isinstance(entries, dict):
        raise UsageError(f"{path} line 1: expected crews by name at the top", "Compare tasks/schedule.yaml.")

    def wrong(what: str, *place: str) -> UsageError:
        hint = "The first lines of tasks/schedule.yaml explain the form."
        return UsageError(f"{path} line {line_of(tree, place)}: {place[0]}: {what}", hint)

    return tuple(_appointment(str(name), entry, wrong, known_crews) for name, entry in entries.items())


def _appointment(name: str, entry: Any, wrong: Wrong, known_crews: Collection[str]) -> Appointment:
    if name not in known_crews:
        raise wrong(f"there is no such crew{_did_you_mean(name, known_crews)}", name)
    if not isinstance(entry, dict):
        raise wrong("expected every or cron, and deadline", name)
    for key in entry:
        if key not in KEYS:
            raise wrong(f"unknown key {key}{_did_you_mean(str(key), KEYS)}", name, str(key))
    if ("every" in entry) == ("cron" in entry):
        raise wrong("write exactly one of every and cron", name)
    if "deadline" not in entry:
        raise wrong("deadline is missing", name)
    try:
        appointment = Appointment(
            crew=name,
            deadline=duration(entry["deadline"]),
            every=duration(entry["every"]) if "every" in entry else None,
            cron=_cron(str(entry["cron"])) if "cron" in entry else "",
            jitter=duration(entry.get("jitter", "0s")),
        )
    except ValueError as problem:
        raise wrong(str(problem), name) from problem
    if appointment.every is not None and appointment.every < SHORTEST_INTERVAL:
        raise wrong("every must be at least 1s", name, "every")
    return appointment


def duration(text: object) -> timedelta:
    """ "90s", "5m", "2h", "1d" as a time span. ``ValueError`` for anything else."""
    match = _DURATION.fullmatch(str(text).strip())
    if match is None:
        raise ValueError(f"{str(text)!r} is no duration; write 30s, 5m, 2h or 1d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _cron(text: str) -> str:
    fields = text.split()
    if len(fields) != 5:
        raise ValueError(f"{text!r} has {len(fields)} fields; write minute hour day month weekday")
    if re.search(r"\d", fields[4]):
        # cron counts weekdays from Sunday, APScheduler from Monday: a number would silently mean another day.
        raise ValueError(f"write the weekday by name (mon-fri), not {fields[4]!r}")
    return " ".join(fields)


def _did_you_mean(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {near[0]}?)" if near else ""
