"""LogsQL is always bounded in time, number and fields, and bad answers become errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.http_answers import Answers, hang, http_answers, status, text
from tools.connection import Address
from tools.errors import PermanentError, TemporaryError
from tools.victorialogs.client import LONGEST_MESSAGE, PATH, Period, VictoriaLogsClient

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = Period(NOW - timedelta(hours=1), NOW)


@pytest.fixture
def server() -> Iterator[Answers]:
    with http_answers() as running:
        yield running


def client(server: Answers, seconds: float = 60) -> closing[VictoriaLogsClient]:
    return closing(VictoriaLogsClient(Address(server.url, timeout_seconds=seconds)))


def rows(*entries: object) -> str:
    return "\n".join(json.dumps(entry) for entry in entries) + "\n"


def test_every_question_is_bounded(server: Answers) -> None:
    server.by_path[PATH] = text("")
    with client(server) as asking:
        assert asking.count("error", HOUR) == 0
        assert asking.count_by("error or panic", HOUR, ["a.b"]) == ()
        assert asking.patterns("error", HOUR, limit=5) == ()
        assert asking.lines("error", HOUR, fields=["level"], limit=3).lines == ()
    assert [request.values["query"] for request in server.requests] == [
        "(error) | stats count() hits",
        '(error or panic) | stats by ("a.b") count() hits | sort by (hits desc) limit 20',
        "(error) | collapse_nums prettify | top 5 by (_msg) hits as hits",
        '(error) | fields "_time", "_msg", "level" | sort by (_time desc) limit 3',
    ]
    for request in server.requests:
        assert request.values["start"] == "2026-11-22T11:00:00+00:00"
        assert request.values["end"] == "2026-11-22T11:59:59.999999+00:00"
        assert request.values["timeout"] == "60s"


def test_lines_are_capped_and_say_when_there_may_be_more(server: Answers) -> None:
    entry = {"_time": "2026-11-22T11:30:00.123456789Z", "_msg": "x" * 9000, "level": "error"}
    server.by_path[PATH] = text(rows(entry, {"_msg": 7, "_time": "soon"}))
    with client(server) as asking:
        found = asking.lines("*", HOUR, fields=["level", "absent"], limit=2)
    first, second = found.lines
    assert found.cut
    assert first.at == datetime(2026, 11, 22, 11, 30, 0, 123456, tzinfo=UTC)
    assert (len(first.message), first.fields) == (LONGEST_MESSAGE, {"level": "error"})
    assert (second.at, second.message) == (None, "7")


def test_counts_and_patterns(server: Answers) -> None:
    server.by_path[PATH] = text(rows({"_msg": "took <N> ms", "hits": "12"}, {"_msg": "", "hits": "3"}))
    with client(server) as asking:
        assert [(one.text, one.count) for one in asking.patterns("*", HOUR)] == [("took <N> ms", 12)]
        server.by_path[PATH] = text(rows({"pod": "a", "hits": "2"}))
        assert [(one.values, one.count) for one in asking.count_by("*", HOUR, ["pod"])] == [({"pod": "a"}, 2)]


@pytest.mark.parametrize("filter_", ["* | delete", 'a "b" | fields x', "`a` |", "'\\'' | x"])
def test_a_filter_cannot_bring_a_pipe_of_its_own(server: Answers, filter_: str) -> None:
    with client(server) as asking, pytest.raises(ValueError, match="pipe"):
        asking.count(filter_, HOUR)
    assert server.requests == []


def test_a_pipe_inside_of_quotes_is_text(server: Answers) -> None:
    server.by_path[PATH] = text(rows({"hits": "1"}))
    with client(server) as asking:
        assert asking.count(r'_msg:~"a|b\"|c" or `|`', HOUR) == 1


@pytest.mark.parametrize("limit", [0, 1001])
def test_limits_have_limits(server: Answers, limit: int) -> None:
    with client(server) as asking, pytest.raises(ValueError, match="between 1 and 1000"):
        asking.lines("*", HOUR, limit=limit)


@pytest.mark.parametrize("content", ["[1]\n", '{"hits":"x"}\n', "{}\n", '{"hits"', "<html>"])
def test_wrong_answers(server: Answers, content: str) -> None:
    server.by_path[PATH] = text(content)
    with client(server) as asking, pytest.raises(PermanentError):
        asking.count("*", HOUR)


def test_an_overloaded_or_silent_server_is_temporary(server: Answers) -> None:
    server.by_path[PATH] = status(503, "too many concurrent requests", Retry_After="4")
    with client(server) as asking, pytest.raises(TemporaryError, match="too many concurrent") as caught:
        asking.count("*", HOUR)
    assert caught.value.retry_after == 4
    server.by_path[PATH] = hang
    with client(server, 0.3) as asking, pytest.raises(TemporaryError, match="no answer within"):
        asking.count("*", HOUR)
