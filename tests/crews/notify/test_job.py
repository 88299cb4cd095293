"""Telling people, from what a crew saw to what a webhook got, over real sockets and both databases."""

from __future__ import annotations

import itertools
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from opscrew.findings.life import OPEN
from opscrew.model.finding import Severity
from opscrew.notify.outbox import Outbox
from tests.support.databases import on_sqlite_alone
from tests.support.http_answers import hang, status
from tests.support.receiver import TOKEN, receiver, reset
from tests.support.telling import Telling, bodies, problem, settings_with


@pytest.fixture
def hook():
    with receiver() as taking:
        yield taking


@pytest.fixture
def telling(database, clock, tmp_path, hook):
    """A channel that has had its first message."""
    made = Telling(database, settings_with(tmp_path, {"team": hook.url}, timeout_seconds=0.5, kinds=KINDS), clock)
    made.tell()
    hook.got.clear()
    clock.forward(minutes=20)
    return made


KINDS = ("findings", "actions", "alerts")


def test_new_worse_and_fixed_are_told_once_each(telling, hook, clock) -> None:
    for seen in ([problem("data", severity=Severity.WARNING)], [problem("data")], []):
        for _ in range(3):
            telling.see(*seen)
            telling.tell()
            clock.forward(minutes=5)
    assert hook.titles == ["New warning: A volume is full", "Now critical: A volume is full", "Fixed: A volume is full"]
    first = hook.got[0]["message"]
    assert "PersistentVolumeClaim prod/shop/data" in first
    assert "Next: " in first
    assert "crew findings show " in first
    assert [message["type"] for message in hook.got] == ["warning", "failure", "success"]


def test_what_does_not_matter_enough_is_not_told(telling, hook, clock) -> None:
    telling.see(problem("data", "CI_UNKNOWN_FAILURE"))
    telling.tell()
    telling.see()
    telling.tell()
    assert hook.got == []


def test_an_incomplete_look_tells_nobody_that_anything_is_fixed(telling, hook) -> None:
    telling.see(problem("data"))
    telling.tell()
    telling.ledger.observe("test", [], complete=False)
    telling.tell()
    assert hook.titles == ["New critical: A volume is full"]


def test_overdue_is_told_once(telling, hook, clock) -> None:
    for _ in range(60):
        telling.see(problem("data"))
        telling.tell()
        clock.forward(hours=1)
    assert hook.titles == ["New critical: A volume is full", "Open for 24 hours: A volume is full"]


def test_a_mute_that_ends_by_itself_speaks_again_where_it_is_overdue(telling, hook, clock) -> None:
    telling.see(problem("data"))
    telling.ledger.suppress(problem("data").fingerprint, clock() + timedelta(hours=40), "known", "ada")
    for _ in range(60):
        telling.see(problem("data"))
        telling.tell()
        clock.forward(hours=1)
    assert hook.titles == ["Open for 40 hours: A volume is full"]


def test_what_flaps_is_told_when_it_begins_and_when_it_is_over(telling, hook, clock) -> None:
    for number in range(24):
        telling.see(*([problem("data")] if number % 2 == 0 else []))
        telling.tell()
        clock.forward(minutes=12)
    assert hook.titles.count("Comes and goes: A volume is full") == 1
    assert len(hook.titles) <= 5
    clock.forward(hours=3)
    telling.see()
    telling.tell()
    assert hook.titles[-1] == "Fixed: A volume is full"


def test_what_a_person_muted_is_not_told_and_speaks_again(telling, hook, clock) -> None:
    telling.see(problem("data"))
    fingerprint = problem("data").fingerprint
    telling.ledger.suppress(fingerprint, clock() + timedelta(hours=2), "known", "ada")
    telling.tell()
    assert hook.got == []
    telling.ledger.unsuppress(fingerprint, "ada")
    telling.tell()
    assert hook.titles == ["New critical: A volume is full"]


def test_what_came_and_went_before_it_could_be_told_is_not_told(telling, hook, clock) -> None:
    """An end of something that nobody heard of is a riddle."""
    hook.faults += [status(500), status(500)]
    telling.see(problem("data"))
    telling.tell()
    clock.forward(seconds=20)
    telling.see()
    telling.tell()
    clock.forward(minutes=10)
    hook.faults.clear()
    telling.tell()
    assert hook.got == []


def test_a_thousand_at_once_are_few_messages(telling, hook, clock) -> None:
    seen = []
    for step in range(20):
        seen += [problem(f"data-{step}-{number}") for number in range(50)]
        telling.see(*seen)
        telling.tell()
        clock.forward(seconds=30)
    for _ in range(60):
        telling.tell()
        clock.forward(seconds=30)
    assert len(hook.got) <= 9
    told = sum(int(title.split()[0].replace(",", "")) if "news" in title else 1 for title in hook.titles)
    assert told == 1000
    for message in hook.got:
        lines = message["message"].splitlines()
        assert len(lines) <= 9
        assert sum(line.startswith("•") for line in lines) <= 5
        assert "… and " in message["message"] or len(hook.got) == 1


def test_the_first_start_tells_the_past_in_one_message(database, clock, tmp_path, hook) -> None:
    telling = Telling(database, settings_with(tmp_path, {"team": hook.url}, kinds=KINDS), clock)
    telling.see(*(problem(f"data-{number}") for number in range(300)))
    clock.forward(days=3)
    for _ in range(5):
        telling.tell()
        clock.forward(minutes=5)
    (message,) = hook.got
    assert "300 critical" in message["message"]
    telling.see(*(problem(f"data-{number}") for number in range(299)))
    telling.tell()
    assert hook.titles[1:] == ["Fixed: A volume is full"]  # it stood in the first message


def test_a_channel_that_is_added_later_begins_with_one_message_too(telling, hook, clock, tmp_path) -> None:
    telling.see(problem("data"))
    telling.tell()
    clock.forward(hours=30)
    telling.settings = settings_with(tmp_path, {"team": hook.url, "night": hook.url}, kinds=KINDS)
    telling.see(problem("data"))
    for _ in range(3):
        telling.tell()
    assert hook.titles == [
        "New critical: A volume is full",
        "Open for 30 hours: A volume is full",
        "crew tells you here from now on",
    ]


@pytest.mark.parametrize("fault", [status(500), status(503), status(429, "", Retry_After="1")])
def test_a_passing_failure_is_tried_again_until_it_arrives_once(telling, hook, clock, fault) -> None:
    hook.faults += [fault, fault, fault]
    telling.see(problem("data"))
    for _ in range(60):
        telling.tell()
        clock.forward(seconds=30)
    assert hook.titles == ["New critical: A volume is full"]


def test_pauses_grow_and_a_longer_one_that_is_asked_for_is_kept(telling, hook, clock) -> None:
    hook.faults += [status(500)] * 4 + [status(429, "", Retry_After="900")]
    telling.see(problem("data"))
    tries, before = [], len(hook.answers.requests)
    for _ in range(200):
        telling.tell()
        if len(hook.answers.requests) > before:
            tries.append(clock())
            before = len(hook.answers.requests)
        clock.forward(seconds=30)
    pauses = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(tries)]
    assert pauses == [30, 60, 120, 240, 900]
    assert len(hook.got) == 1


@pytest.mark.parametrize("fault", [hang, reset, "take_and_hang"])
def test_what_may_have_arrived_is_not_sent_again_and_the_next_message_says_so(telling, hook, clock, fault) -> None:
    hook.faults.append(getattr(hook, fault) if isinstance(fault, str) else fault)
    telling.see(problem("data"))
    for _ in range(20):
        telling.tell()
        clock.forward(minutes=1)
    assert len(hook.got) == (1 if fault == "take_and_hang" else 0)
    telling.see(problem("data"), problem("logs"))
    for _ in range(3):
        telling.tell()
        clock.forward(minutes=1)
    last = hook.got[-1]
    assert last["title"] == "New critical: A volume is full"
    assert "may not have arrived: New critical: A volume is full" in last["message"]
    telling.see(problem("data"))
    telling.tell()
    assert "may not have arrived" not in hook.got[-1]["message"]


def test_a_channel_that_fails_for_long_is_a_finding_that_another_channel_tells(database, clock, tmp_path, hook) -> None:
    with receiver() as other:
        urls = {"team": hook.url, "second": other.url}
        telling = Telling(database, settings_with(tmp_path, urls, kinds=KINDS), clock)
        telling.tell()
        hook.faults += [status(500)] * 1000
        telling.see(problem("data"))
        for _ in range(60):
            telling.tell()
            clock.forward(seconds=30)
        (entry,) = telling.ledger.list(OPEN, code="NOTIFY_FAILING")
        assert entry.finding.subject.name == "team"
        assert "answered 500" in entry.finding.cause
        assert TOKEN not in entry.finding.cause
        assert other.titles == [
            "crew tells you here from now on",
            "New critical: A volume is full",
            "New warning: A channel takes no messages",
        ]
        hook.faults.clear()
        clock.forward(hours=1)
        for _ in range(3):
            telling.tell()
            clock.forward(seconds=30)
        assert telling.ledger.list(OPEN, code="NOTIFY_FAILING") == []
    assert hook.titles[-1] == "New critical: A volume is full"


def test_what_nobody_could_be_told_for_a_day_is_not_told_as_news(telling, hook, clock) -> None:
    hook.faults += [status(500)] * 10_000
    telling.see(problem("data"))
    for _ in range(26):
        telling.see(problem("data"))
        telling.tell()
        clock.forward(hours=1)
    (entry,) = telling.ledger.list(OPEN, code="NOTIFY_FAILING")
    assert "could not be told at all" in entry.finding.cause
    states = {row.state for row in Outbox(telling.engine, clock).latest() if row.what == "new"}
    assert states == {"expired"}


def test_a_message_that_is_refused_does_not_block_those_behind_it(telling, hook, clock) -> None:
    hook.faults += [status(400), status(400)]
    telling.see(problem("data"))
    for _ in range(10):
        telling.tell()
        clock.forward(minutes=1)
    assert hook.got == []
    telling.see(problem("data"), problem("logs"))
    for _ in range(10):
        telling.tell()
        clock.forward(minutes=1)
    assert "prod/shop/logs" in bodies(hook.got)


def test_one_dead_channel_holds_up_no_other(database, clock, tmp_path, hook) -> None:
    with receiver() as other:
        urls = {"dead": hook.url, "team": other.url}
        telling = Telling(database, settings_with(tmp_path, urls, kinds=KINDS, timeout_seconds=0.5), clock)
        hook.faults += [hang] * 50
        telling.tell()
        telling.see(problem("data"))
        clock.forward(seconds=30)
        telling.tell()
    assert other.titles == ["crew tells you here from now on", "New critical: A volume is full"]


def test_a_channel_without_an_address_is_told_as_a_finding(database, clock, tmp_path, hook) -> None:
    telling = Telling(database, settings_with(tmp_path, {"team": ""}, kinds=KINDS), clock)
    for _ in range(3):
        telling.tell()
        clock.forward(minutes=1)
    (entry,) = telling.ledger.list(OPEN, code="NOTIFY_FAILING")
    assert "team.url is empty" in entry.finding.cause


def test_an_emptied_history_is_read_on(telling, hook, clock) -> None:
    """Rows that are forgotten make the database count from one again."""
    telling.see(problem("data"))
    telling.tell()
    clock.forward(minutes=1)
    with telling.engine.begin() as connection:
        connection.execute(text("DELETE FROM finding_changes"))
        if connection.dialect.name == "postgresql":
            connection.execute(text("ALTER SEQUENCE finding_changes_id_seq RESTART"))
    telling.see(problem("data"), problem("logs"))
    telling.tell()
    assert "prod/shop/logs" in hook.got[-1]["message"]


@on_sqlite_alone
def test_nothing_of_an_address_is_stored(database, telling, hook, clock, tmp_path, caplog, capfd) -> None:
    with caplog.at_level(0):
        hook.faults += [status(500, TOKEN), status(404, TOKEN), hang, reset]
        telling.see(problem("data", cause=f"see {hook.url}"))
        for _ in range(40):
            telling.tell()
            clock.forward(minutes=5)
    stored = "\n".join(sqlite3.connect(tmp_path / "crew.db").iterdump())
    captured = capfd.readouterr()
    for name, shown in (
        ("database", stored.replace(f"see {hook.url}", "")),
        ("log", caplog.text),
        ("out", captured.out + captured.err),
    ):
        assert TOKEN not in shown, name


def test_it_counts_what_it_sent(telling, hook, clock) -> None:
    hook.faults.append(status(500))
    telling.see(problem("data"))
    telling.tell()
    clock.forward(minutes=2)
    telling.tell()
    value = telling.metrics.registry.get_sample_value
    assert value("crew_notifications_total", {"channel": "team", "outcome": "failed"}) == 1
    assert value("crew_notifications_total", {"channel": "team", "outcome": "sent"}) == 2  # with the first message


def test_names_from_outside_wake_nobody(telling, hook) -> None:
    telling.see(problem("data", cause="pushed by @everyone and <!channel>, @here"))
    telling.tell()
    body = hook.got[0]["message"]
    assert "@everyone" not in body
    assert "<!channel>" not in body
    assert "everyone" in body


ZONE = "Europe/Berlin"


def local(day: int, hour: int, minute: int = 0, month: int = 10) -> datetime:
    from zoneinfo import ZoneInfo

    return datetime(2026, month, day, hour, minute, tzinfo=ZoneInfo(ZONE)).astimezone(UTC)


def quiet_channel(database, clock, tmp_path, hook, **wishes) -> Telling:
    wishes = {"quiet_hours": "22:00-07:00", "digest_at": "08:00", **wishes}
    telling = Telling(database, settings_with(tmp_path, {"team": hook.url}, zone=ZONE, **wishes), clock)
    telling.tell()
    hook.got.clear()
    return telling


def test_what_falls_in_quiet_hours_comes_with_the_digest_over_a_change_of_the_clock(
    database, clock, tmp_path, hook
) -> None:
    """On 25 October 2026 the night in Berlin has an hour more."""
    clock.now = local(24, 20)
    telling = quiet_channel(database, clock, tmp_path, hook)
    clock.now = local(24, 23)
    telling.see(problem("data"))
    seen: list[datetime] = []
    while clock() < local(25, 12):
        before = len(hook.got)
        telling.tell()
        seen += [clock()] * (len(hook.got) - before)
        clock.forward(minutes=15)
    assert seen == [local(25, 8)]
    (digest,) = hook.got
    assert digest["title"] == "Digest of 2026-10-25: 1 open"
    assert "Held back until now: 1 new" in digest["message"]
    assert "prod/shop/data" in digest["message"]


def test_a_digest_at_an_hour_that_comes_twice_or_not_at_all_comes_once(database, clock, tmp_path, hook) -> None:
    for day, month in ((29, 3), (25, 10)):
        clock.now = local(day - 1, 12, month=month)
        telling = quiet_channel(database, clock, tmp_path, hook, quiet_hours="", digest_at="02:30")
        hook.got.clear()
        while clock() < local(day, 12, month=month):
            telling.tell()
            clock.forward(minutes=30)
        assert len(hook.got) == 1, (day, month, hook.titles)


def test_without_a_digest_it_comes_when_the_quiet_hours_end(database, clock, tmp_path, hook) -> None:
    clock.now = local(6, 20)
    telling = quiet_channel(database, clock, tmp_path, hook, kinds=KINDS)
    clock.now = local(6, 23)
    telling.see(problem("data"), problem("logs"))
    telling.tell()
    assert hook.got == []
    clock.now = local(7, 7)
    telling.tell()
    assert hook.titles == ["2 news: 2 new; 2 critical"]


@pytest.mark.parametrize("passes", [True, False])
def test_critical_passes_quiet_hours_only_where_the_channel_says_so(database, clock, tmp_path, hook, passes) -> None:
    clock.now = local(6, 20)
    telling = quiet_channel(database, clock, tmp_path, hook, critical_in_quiet_hours=passes)
    clock.now = local(6, 23)
    telling.see(problem("data"), problem("logs", severity=Severity.WARNING))
    telling.tell()
    assert hook.titles == (["New critical: A volume is full"] if passes else [])


def test_what_was_fixed_in_the_night_is_told_in_the_morning(database, clock, tmp_path, hook) -> None:
    clock.now = local(6, 21)
    telling = quiet_channel(database, clock, tmp_path, hook)
    telling.see(problem("data"))
    telling.tell()
    clock.now = local(6, 23)
    telling.see()
    telling.tell()
    assert hook.titles == ["New critical: A volume is full"]
    clock.now = local(7, 8)
    telling.tell()
    assert "• Fixed: A volume is full" in hook.got[-1]["message"]


def test_a_digest_that_failed_for_a_day_is_overtaken_by_the_next(database, clock, tmp_path, hook) -> None:
    """The night before 29 March has an hour less: the old digest is not yet a day old when the new one is made."""
    clock.now = local(28, 7, month=3)
    telling = quiet_channel(database, clock, tmp_path, hook)
    telling.see(problem("data"))
    telling.tell()
    clock.now = local(28, 8, month=3)
    hook.faults += [status(500)] * 3
    for _ in range(3):
        telling.tell()
        clock.forward(minutes=10)
    clock.now = local(29, 8, 5, month=3)
    telling.tell()
    assert hook.titles == ["New critical: A volume is full", "Digest of 2026-03-29: 2 open"]  # with NOTIFY_FAILING


def test_patterns_choose_what_a_channel_hears(database, clock, tmp_path, hook) -> None:
    wishes = {"kinds": KINDS, "codes": ("VOLUME_*",), "scopes": ("prod/*",)}
    telling = Telling(database, settings_with(tmp_path, {"team": hook.url}, **wishes), clock)
    telling.tell()
    telling.see(problem("data"), problem("web", "POD_CRASH_LOOPING"))
    telling.tell()
    assert hook.titles[1:] == ["New critical: A volume is full"]
