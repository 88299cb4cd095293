"""The schedule file: what it may say, and how it is refused."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from crews.runtime.registry import CREWS
from crews.runtime.schedule import load
from opscrew.errors import UsageError
from server.triggers import trigger_of

NAMES = [crew.name for crew in CREWS]


def test_the_shipped_schedule_names_every_crew_that_runs_by_itself() -> None:
    appointments = load(known_crews=NAMES)
    crews = [appointment.crew for appointment in appointments]
    assert "ci_watch" in crews
    assert len(set(crews)) == len(crews)
    for appointment in appointments:
        assert trigger_of(appointment, ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ci_wach: {every: 1m, deadline: 5m}", "there is no such crew (did you mean ci_watch?)"),
        ("ci_watch: {evry: 1m, deadline: 5m}", "unknown key evry (did you mean every?)"),
        ("ci_watch: {every: 1m, cron: '0 7 * * *', deadline: 5m}", "exactly one of every and cron"),
        ("ci_watch: {deadline: 5m}", "exactly one of every and cron"),
        ("ci_watch: {every: 1m}", "deadline is missing"),
        ("ci_watch: {every: 1 minute, deadline: 5m}", "'1 minute' is no duration"),
        ("ci_watch: {every: 0s, deadline: 5m}", "at least 1s"),
        ("ci_watch: {cron: '0 7 * *', deadline: 5m}", "has 4 fields"),
        ("ci_watch: {cron: '0 7 * * 1-5', deadline: 5m}", "weekday by name"),
        ("ci_watch: 1m", "expected every or cron"),
        ("- ci_watch", "expected crews by name"),
        ("a: [", "cannot be read as a schedule"),
        (
            "# first\nci_watch: {every: 1m, deadline: 5m}\nci_wach: {}",
            "schedule.yaml line 3: ci_wach: there is no such",
        ),
        ("ci_watch:\n  every: 1m\n  jiter: 1s", "schedule.yaml line 3: ci_watch: unknown key jiter"),
        (
            "ci_watch: {every: 1m, deadline: 5m}\nci_watch: {every: 9m, deadline: 5m}",
            "line 2: ci_watch stands there twice",
        ),
        ("ci_watch: \x00", "cannot be read as a schedule"),
    ],
)
def test_a_wrong_schedule_is_one_clear_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "schedule.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        load(path, NAMES)
    assert message in caught.value.message
    assert "\n" not in caught.value.message


def test_an_empty_schedule_runs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "schedule.yaml"
    path.write_text("# nothing\n", encoding="utf-8")
    assert load(path, NAMES) == ()


def test_durations(tmp_path: Path) -> None:
    path = tmp_path / "schedule.yaml"
    path.write_text("ci_watch: {every: 90s, jitter: 1m, deadline: 2h}", encoding="utf-8")
    (appointment,) = load(path, NAMES)
    assert (appointment.every, appointment.jitter, appointment.deadline) == (
        timedelta(seconds=90),
        timedelta(minutes=1),
        timedelta(hours=2),
    )
