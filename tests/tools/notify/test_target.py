"""The door to apprise, over real sockets: what arrives, what a failure means, and that no address is ever shown."""

from __future__ import annotations

import html
import json
import logging
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from tests.support.http_answers import Request, hang, http_answers, nobody_listens, status
from tests.support.receiver import TOKEN, receiver, reset
from tools.errors import PermanentError, TemporaryError
from tools.notify.target import Message, MessageRefusedError, Target, fitted

MESSAGE = Message("New critical: Volume is full", ("prod/shop/data is full.", "Next: make room."), "failure")


def test_a_message_arrives_once_with_title_body_and_tone() -> None:
    with receiver() as hook:
        Target("team", hook.url).send(MESSAGE)
    (got,) = hook.got
    assert (got["title"], got["type"]) == ("New critical: Volume is full", "failure")
    assert got["message"] == "prod/shop/data is full.\nNext: make room."


@pytest.mark.parametrize(
    ("fault", "certain", "words"),
    [
        (status(500), True, "answered 500"),
        (status(503, "", Retry_After="7"), True, "answered 503"),
        (status(504), False, "504"),
        (hang, False, "no answer within"),
        (reset, False, "no answer"),
    ],
)
def test_a_passing_failure_says_whether_it_may_be_sent_again(fault, certain: bool, words: str) -> None:
    with receiver() as hook:
        hook.faults.append(fault)
        with pytest.raises(TemporaryError) as problem:
            Target("team", hook.url, timeout_seconds=0.5).send(MESSAGE)
    assert problem.value.not_accepted is certain
    assert words in problem.value.message
    assert TOKEN not in str(problem.value) + repr(problem.value) + repr(problem.value.__cause__)


def test_nobody_listens_is_certain_not_to_have_arrived() -> None:
    with nobody_listens() as url, pytest.raises(TemporaryError) as problem:
        Target("team", url.replace("http", "json") + f"/{TOKEN}").send(MESSAGE)
    assert problem.value.not_accepted


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        (status(429, "", Retry_After="42"), 42.0),
        (status(429, json.dumps({"retry_after": 0.376, "global": False})), 0.376),  # Discord
        (status(429, json.dumps({"ok": False, "parameters": {"retry_after": 19}})), 19.0),  # Telegram
        (status(429, "[]"), None),
        (status(429, "", Retry_After="inf"), None),
        (status(429, "", Retry_After="soon"), None),
    ],
)
def test_a_pause_that_is_asked_for_is_handed_on(fault, seconds: float | None) -> None:
    with receiver() as hook:
        hook.faults.append(fault)
        with pytest.raises(TemporaryError) as problem:
            Target("team", hook.url).send(MESSAGE)
    assert (problem.value.retry_after, problem.value.not_accepted) == (seconds, True)


def test_a_pause_may_be_given_as_a_time() -> None:
    def later(handler, request: Request) -> None:
        until = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
        status(503, "", Retry_After=until)(handler, request)

    with receiver() as hook:
        hook.faults.append(later)
        with pytest.raises(TemporaryError) as problem:
            Target("team", hook.url).send(MESSAGE)
    assert problem.value.retry_after == pytest.approx(90, abs=2)


@pytest.mark.parametrize("code", [401, 403, 404, 410])
def test_a_closed_door_is_for_a_person(code: int) -> None:
    with receiver() as hook:
        hook.faults.append(status(code, f"no such hook {TOKEN}"))
        with pytest.raises(PermanentError) as problem:
            Target("team", hook.url).send(MESSAGE)
    assert str(code) in problem.value.message
    assert TOKEN not in str(problem.value)


@pytest.mark.parametrize("code", [400, 413])
def test_a_message_that_is_refused_is_told_from_a_channel_that_is_closed(code: int) -> None:
    with receiver() as hook:
        hook.faults.append(status(code))
        with pytest.raises(MessageRefusedError):
            Target("team", hook.url).send(MESSAGE)


def test_an_answer_that_points_elsewhere_is_not_followed() -> None:
    with receiver() as hook, receiver() as other:
        hook.faults.append(status(302, "", Location=other.answers.url + f"/{TOKEN}"))
        with pytest.raises(PermanentError, match="elsewhere"):
            Target("team", hook.url).send(MESSAGE)
    assert (hook.got, other.answers.requests) == ([], [])


def test_an_address_that_asks_for_repeats_gets_none() -> None:
    with receiver() as hook:
        hook.faults += [status(500), status(500)]
        with pytest.raises(TemporaryError):
            Target("team", hook.url + "?retry=5&wait=0").send(MESSAGE)
    assert len(hook.answers.requests) == 1


@pytest.mark.parametrize("url", [f"nonsense://{TOKEN}", TOKEN, f"slack://{TOKEN}", "json://", f"{TOKEN} json://"])
def test_an_address_that_is_none_is_refused_without_being_shown(url: str, caplog, capfd) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(PermanentError) as problem:
        Target("team", url)
    captured = capfd.readouterr()
    assert TOKEN not in str(problem.value) + caplog.text + captured.out + captured.err


def test_an_address_of_several_people_is_refused() -> None:
    with pytest.raises(PermanentError, match="2 recipients"):
        Target("mail", "mailto://user:password@example.com/?to=a@example.com,b@example.com")


def test_nothing_of_the_address_is_logged_at_any_level(caplog) -> None:
    with caplog.at_level(logging.NOTSET), receiver() as hook:
        hook.faults += [status(500, TOKEN)]
        target = Target("team", hook.url)
        with pytest.raises(TemporaryError):
            target.send(MESSAGE)
        target.send(MESSAGE)
    assert TOKEN not in caplog.text + repr(target)


@pytest.fixture
def services(monkeypatch):
    """Slack, Discord and Telegram as apprise speaks to them, pointed at this machine."""
    from apprise.plugins.discord import NotifyDiscord
    from apprise.plugins.slack import NotifySlack
    from apprise.plugins.telegram import NotifyTelegram

    got: list[Request] = []

    def take(handler, request) -> None:
        got.append(request)
        status(200, "ok" if "/services" in request.path else '{"ok": true, "result": {}}')(handler, request)

    class Anything(dict):
        def get(self, path, otherwise=None):
            return take

    with http_answers() as answers:
        answers.by_path = Anything()
        monkeypatch.setattr(NotifySlack, "webhook_url", answers.url + "/services")
        monkeypatch.setattr(NotifyDiscord, "notify_url", answers.url + "/api/webhooks")
        monkeypatch.setattr(NotifyTelegram, "notify_url", answers.url + "/bot")
        yield got


SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general"
DISCORD = "discord://" + "1" * 18 + "/" + "a" * 68
TELEGRAM = "tgram://123456789:abcdefg_hijklmnop/12315544/"


@pytest.mark.parametrize(("url", "most"), [(SLACK, 35_000), (DISCORD, 2_000), (TELEGRAM, 4_096)])
def test_services_get_one_message_within_their_own_bounds(services, url: str, most: int) -> None:
    lines = tuple(f"• {number} " + "<b>*_&" * 150 for number in range(9))
    Target("team", url).send(Message("t" * 400, (*lines, "Next: `crew findings list`"), "warning"))
    (request,) = services
    body = json.loads(request.body)
    text = body.get("content") or body.get("text") or body["attachments"][0]["text"]
    assert len(html.unescape(text)) <= most  # Telegram counts after its entities are read, Slack after its escapes
    assert "crew findings list" in text


def test_signs_of_a_chat_are_shown_as_they_are(services) -> None:
    """Names come from outside: `<!channel>` in one must wake nobody, and `<b>` must not break the message."""
    nasty = Message("a_b <b> & c", ("<!channel> pod *web_1* `x`", "Next: `crew`"))
    for url in (SLACK, TELEGRAM):
        Target("team", url).send(nasty)
    for request in services:
        assert "<!channel>" not in request.body
        assert "pod *web_1* `x`" in request.body


def test_a_text_that_is_too_long_keeps_whole_lines_and_what_to_do() -> None:
    lines = ("first", "second " * 20, "Next: act")
    assert fitted(lines, 30) == "first\nNext: act"
    assert fitted(("x" * 100, "Next: act"), 30).endswith("…\nNext: act")
    assert len(fitted(("x" * 100, "y" * 100), 30)) <= 30
    assert fitted(("x" * 100,), 30) == "x" * 29 + "…"


def test_apprise_is_not_imported_before_it_is_used_and_writes_nothing_in_home(tmp_path: Path) -> None:
    program = (
        "import sys, tools.notify.target as t; assert 'apprise' not in sys.modules\n"
        "t.Target('team', sys.argv[1]).send(t.Message('a', ('b',)))"
    )
    home = tmp_path / "home"
    home.mkdir()
    with receiver() as hook:
        environment = {**os.environ, "HOME": str(home), "TMPDIR": str(home), "XDG_DATA_HOME": str(home)}
        subprocess.run([sys.executable, "-c", program, hook.url], check=True, env=environment, timeout=60)
    assert len(hook.got) == 1
    assert list(home.rglob("*")) == []
