"""Whatever a server answers, callers see records or an UpstreamError, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.bitbucket import START, Reply, http_client, scripted
from tools.bitbucket.client import BitbucketClient
from tools.errors import UpstreamError

KEYS = ("values", "next", "uuid", "state", "name", "result", "error", "target", "commit", "hash", "created_on", "links")
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.just("2026-10-06T12:00:00Z"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=15,
)
HEADERS = st.dictionaries(
    st.sampled_from(["Retry-After", "X-RateLimit-Limit", "X-RateLimit-Reset", "Content-Range", "Location"]),
    st.sampled_from(["", "-1", "0", "1e400", "nan", "\x7f", "bytes 9-1/3", "http://[", "//", "/x", "bytes */5"]),
    max_size=3,
)
STATUSES = st.sampled_from([200, 200, 200, 201, 202, 204, 206, 301, 307, 400, 404, 410, 416, 429, 500, 503])


def ask_everything(client: BitbucketClient) -> None:
    shown = []
    for question in (
        lambda: client.ping(),
        lambda: client.pipelines("shop"),
        lambda: client.pipeline("shop", 1),
        lambda: client.runners(),
        lambda: client.steps("shop", "{1}"),
        lambda: client.step("shop", "{1}", "{2}"),
        lambda: client.deployments("shop", since=START),
        lambda: client.repositories(newest_first=True),
        lambda: client.repository("shop"),
        lambda: client.step_log_tail("shop", "{1}", "{2}", max_bytes=100),
        lambda: client.stop("shop", "{1}"),
        lambda: client.budget,
    ):
        try:
            question()
        except UpstreamError as problem:
            shown.append(f"{problem}{problem.hint}")
    assert "s3cret" not in "".join(shown)


def test_half_a_character_does_not_hide_what_it_stands_in() -> None:
    cut = {"target": {"commit": {"hash": "abc", "message": "ship it \ud83d"}, "ref_name": "\U0001f600"}}
    page = json.dumps({"values": [{"uuid": "{1}", "created_on": START.isoformat(), **cut}]}).encode()
    with scripted(lambda path, headers: (200, {}, page)) as server, http_client() as http:
        (found,) = BitbucketClient(server.url, "acme", clock=lambda: START, http=http).pipelines("shop")
    assert found.target.commit_message == "ship it ?"
    assert found.target.ref_name == "\U0001f600"


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(status=STATUSES, headers=HEADERS, body=JSON_VALUES | st.binary(max_size=40))
def test_any_status_headers_and_body(status: int, headers: dict[str, str], body: Any) -> None:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    data = b"" if status == 204 else data
    with scripted(lambda path, given_headers: (status, headers, data)) as server, http_client() as http:
        ask_everything(
            BitbucketClient(
                server.url, "acme", token="s3cret", clock=lambda: START, sleep=lambda seconds: None, http=http
            )
        )


@pytest.mark.parametrize(
    "reply",
    [
        (200, {"content-encoding": "gzip"}, b"not gzip"),
        (200, {}, b"[" * 100_000),
        (200, {}, b'{"values": [], "next": "http://[::1"}'),
        (200, {}, b'{"values": [{}], "next": "http://[::1"}'),
        (200, {}, b'{"values": [{"uuid": "{1}", "created_on": 1e400}]}'),
        (200, {}, b'{"values": [{"uuid": "{1}", "created_on": 99999999999999999999}]}'),
        (200, {}, b"9" * 5000),
        (200, {}, '{"values": "ü"}'.encode("latin-1")),
    ],
)
def test_answers_that_break_parsers(reply: Reply) -> None:
    with scripted(lambda path, headers: reply) as server, http_client() as http:
        ask_everything(
            BitbucketClient(
                server.url, "acme", token="s3cret", clock=lambda: START, sleep=lambda seconds: None, http=http
            )
        )
