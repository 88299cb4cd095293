"""One time zone in everything that people read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from opscrew import reading_time
from tests.support.crew_program import crew

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def in_berlin() -> Iterator[None]:
    reading_time.read_times_in(ZoneInfo("Europe/Berlin"))
    yield
    reading_time.read_times_in(UTC)


@pytest.mark.parametrize(
    ("utc", "shown"),
    [
        ("2026-10-24T22:30", "2026-10-25 00:30 CEST"),
        ("2026-10-25T00:30", "2026-10-25 02:30 CEST"),
        ("2026-10-25T01:30", "2026-10-25 02:30 CET"),
        ("2026-03-29T00:59", "2026-03-29 01:59 CET"),
        ("2026-03-29T01:00", "2026-03-29 03:00 CEST"),
    ],
)
def test_the_two_hours_of_autumn_are_told_apart(utc: str, shown: str) -> None:
    moment = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert reading_time.minute(moment) == shown
    assert reading_time.clock_time(moment) == shown[11:]


def test_logs_keep_the_offset() -> None:
    assert reading_time.timestamp(datetime(2026, 7, 1, 12, tzinfo=UTC)) == "2026-07-01T14:00:00+02:00"


def test_no_sentence_names_a_zone_of_its_own() -> None:
    """A time in a sentence goes through `reading_time`; what stands here would be in UTC whatever is configured."""
    fixed = re.compile(r"\{[^{}]*%[^{}]*\}\s*UTC")
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for folder in ("cli", "crews", "opscrew", "server")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if fixed.search(line)
    ]
    assert found == []


def test_a_command_speaks_in_the_configured_zone(tmp_path: Path) -> None:
    saved = tmp_path / "certificate.yaml"
    saved.write_text(
        "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: shop, namespace: web}\n"
        "status: {notAfter: '2026-07-01T10:00:00Z', conditions: [{type: Ready, status: 'True'}]}\n"
    )
    ended = crew(
        tmp_path, "cluster", "check", "--now", "2026-07-02T00:00:00Z", str(saved), CREW_TIMEZONE="Europe/Berlin"
    )
    assert "2026-07-01 12:00 CEST" in " ".join(ended.stdout.split()), ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0, "0 minutes"), (119, "119 minutes"), (120, "2 hours"), (239, "4 hours"), (2879, "2 days"), (6000, "4 days")],
)
def test_a_length_of_time_is_told_in_its_own_unit(minutes: int, words: str) -> None:
    assert reading_time.span(timedelta(minutes=minutes)) == words
