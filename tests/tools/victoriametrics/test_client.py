"""What VictoriaMetrics answers is read as it is meant, and every bad answer becomes an error of the right kind."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.http_answers import Answer, Answers, cut, drip, hang, http_answers, status, text, value
from tools.connection import Address
from tools.errors import PermanentError, TemporaryError, UpstreamError
from tools.victoriametrics.client import QUERY, QUERY_RANGE, VictoriaMetricsClient, named_query, queries

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ONE = {"metric": {"namespace": "shop"}, "value": [NOW.timestamp(), "1.5"]}


def success(result: object, kind: str = "vector", **more: object) -> Answer:
    return value({"status": "success", "data": {"resultType": kind, "result": result}, **more})


@pytest.fixture
def server() -> Iterator[Answers]:
    with http_answers() as running:
        yield running


def client(server: Answers, seconds: float = 60, **address: str) -> closing[VictoriaMetricsClient]:
    return closing(VictoriaMetricsClient(Address(server.url, timeout_seconds=seconds, **address)))


def test_an_instant_query(server: Answers) -> None:
    server.by_path[QUERY] = success([ONE])
    with client(server, token="secret") as asking:
        found = asking.instant('up{job="x"}', NOW)
    assert [(dict(one.labels), one.value, one.at) for one in found.samples] == [({"namespace": "shop"}, 1.5, NOW)]
    assert not found.partial
    asked = server.requests[0]
    assert (asked.method, asked.headers["Authorization"]) == ("POST", "Bearer secret")
    assert asked.values == {"query": 'up{job="x"}', "time": f"{NOW.timestamp():.3f}", "timeout": "60s"}


def test_numbers_without_series_and_values_that_are_none(server: Answers) -> None:
    server.by_path[QUERY] = success([NOW.timestamp(), "NaN"], "scalar")
    with client(server) as asking:
        (sample,) = asking.instant("1").samples
    assert sample.labels == {}
    assert sample.value != sample.value


def test_a_range_keeps_gaps_and_says_when_it_is_partial(server: Answers) -> None:
    points = [[NOW.timestamp() - 7200, "1"], [NOW.timestamp(), "3"]]
    server.by_path[QUERY_RANGE] = success([{"metric": {"a": "b"}, "values": points}], "matrix", isPartial=True)
    with client(server) as asking:
        found = asking.range("x", NOW - timedelta(hours=2), NOW, timedelta(hours=1))
    assert found.partial
    assert found.series[0].points == ((NOW.timestamp() - 7200, 1.0), (NOW.timestamp(), 3.0))
    assert found.series[0].last_at == NOW
    assert server.requests[0].values["step"] == "3600s"


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (status(503, "overloaded", Retry_After="7"), TemporaryError, "answered 503: overloaded"),
        (status(429), TemporaryError, "answered 429"),
        (status(401), PermanentError, "does not let us in"),
        (status(404), PermanentError, "answered 404"),
        (status(422, '{"status":"error","error":"unknown function foo"}'), PermanentError, "unknown function foo"),
        (text("<html>log in</html>"), PermanentError, "an HTML page"),
        (text('{"status":"success","data":'), PermanentError, "cut off or no JSON"),
        (value([1, 2]), PermanentError, "holds no data"),
        (value({"status": "error", "data": {}}), PermanentError, "holds no data"),
        (success({"not": "a list"}), PermanentError, "another shape"),
        (success([{"metric": {}, "value": ["x"]}]), PermanentError, "another shape"),
        (success([{"metric": None, "value": [0, "1"]}]), PermanentError, "another shape"),
        (success([{"metric": {}, "value": [1e40, "1"]}]), PermanentError, "another shape"),
        (cut, TemporaryError, "cannot be reached"),
    ],
)
def test_bad_answers(server: Answers, answer: Answer, kind: type[UpstreamError], words: str) -> None:
    server.by_path[QUERY] = answer
    with client(server) as asking, pytest.raises(kind, match=words) as caught:
        asking.instant("up")
    assert caught.value.system == "victoriametrics"
    assert caught.value.url.endswith(QUERY)


@pytest.mark.parametrize("answer", [hang, drip])
def test_a_server_that_hangs_costs_the_time_limit_and_no_more(server: Answers, answer: Answer) -> None:
    server.by_path[QUERY] = answer
    started = time.monotonic()
    with client(server, 0.4) as asking, pytest.raises(TemporaryError, match=r"no answer within 0\.4 s"):
        asking.instant("up")
    assert time.monotonic() - started < 20, "it would hang for half a minute or drip for ever"


def test_nobody_listens_and_no_secret_is_shown(server: Answers) -> None:
    address = Address("http://someone:hunter2@127.0.0.1:9", timeout_seconds=60)
    with (
        closing(VictoriaMetricsClient(address)) as asking,
        pytest.raises(TemporaryError, match="cannot be reached") as caught,
    ):
        asking.instant("up")
    assert "hunter2" not in str(caught.value)


def test_every_shipped_query_can_be_filled_and_names_are_quoted() -> None:
    for name in queries():
        filled = named_query(name, "15m", {"cluster": 'a"} or up{x="'})
        assert not re.search(r"\$[a-z{]", filled)  # "$1" belongs to MetricsQL
        assert r'cluster="a\"} or up{x=\""' in filled
    with pytest.raises(ValueError, match="no label name"):
        named_query("volume_used_bytes", "15m", {"a-b": "c"})
