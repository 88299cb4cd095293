"""No secret reaches the log, whatever it hides in; and logs stay one JSON object a line."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import httpx
import pytest
import structlog

from opscrew import logs

SECRET = "ghp_0123456789abcdefghijABCDEFGHIJ012345"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    root, written = logging.getLogger(), io.StringIO()
    before, usual = (root.handlers, root.level), structlog.get_config()
    monkeypatch.setattr("sys.stderr", written)
    logs.configure("json", "info")
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    root.handlers, root.level = before
    structlog.configure(**usual)


class Unshowable:
    def __str__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    "value",
    [
        f"plain {SECRET}",
        {"deep": [{"deeper": (f"x {SECRET}",)}]},
        {f"key {SECRET}": 1},
        {SECRET},
        f"bytes {SECRET}".encode(),
        ValueError(f"in an exception {SECRET}"),
        httpx.URL("https://ci:hunter22secret@git.example.org/x"),
        [[[[[[[[f"very deep {SECRET}"]]]]]]]],
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_secret_is_taken_out_of_any_value(lines, value) -> None:
    structlog.get_logger("test").info("event", value=value)
    (line,) = lines()
    assert SECRET not in json.dumps(line)
    assert "hunter22secret" not in json.dumps(line)


def test_values_are_masked_by_name(lines) -> None:
    structlog.get_logger("test").info(
        "event",
        token="abc",
        webhook_secret="abc",
        headers={"Authorization": "abc"},
        tokens_per_second=12,
        token_count=3,
    )
    (line,) = lines()
    assert "abc" not in json.dumps(line)
    assert (line["tokens_per_second"], line["token_count"]) == (12, 3)


def test_a_traceback_is_kept_without_the_secret(lines) -> None:
    try:
        raise RuntimeError(f"login with {SECRET} failed")
    except RuntimeError:
        structlog.get_logger("test").exception("broken")
        logging.getLogger("elsewhere").exception("broken with %s", SECRET)
    ours, theirs = lines()
    for line in (ours, theirs):
        assert "Traceback" in line["exception"]
        assert SECRET not in json.dumps(line)


def test_a_value_that_cannot_be_shown_loses_nothing_else(lines) -> None:
    looping: list[object] = []
    looping.append(looping)
    structlog.get_logger("test").info("event", bad=Unshowable(), loop=looping, good="yes")
    (line,) = lines()
    assert line["good"] == "yes"
    assert "cannot be shown" in line["bad"]


def test_requests_of_the_http_library_are_not_listed(lines) -> None:
    logging.getLogger("httpx").info("GET https://example.org/?token=1")
    assert lines() == []
