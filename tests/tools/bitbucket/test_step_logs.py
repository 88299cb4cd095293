"""Step logs: the end first, ranges in all their variants, stores on other hosts, connections that break."""

from __future__ import annotations

import gzip
import io
import re
import time

import pytest

from tests.support.bitbucket import START, Reply, Sandbox, http_client, scripted
from tools.bitbucket.client import BitbucketClient
from tools.bitbucket.step_logs import EMPTY, LogSlice
from tools.errors import TemporaryError

LOG = b"".join(b"line %06d\n" % number for number in range(20_000))


def failed_step(box: Sandbox, fate: str = "failing") -> tuple[str, str]:
    run = box.world.push("shop", fate)
    box.clock.forward(minutes=10)
    return run.uuid, run.steps[0].uuid


def client_of(url: str) -> BitbucketClient:
    return BitbucketClient(
        url, "acme", token="s3cret", clock=lambda: START, sleep=lambda seconds: None, http=http_client()
    )


def test_the_tail_is_the_end_of_the_whole(box: Sandbox) -> None:
    pipeline, step = failed_step(box)
    with box.client() as client:
        whole = io.BytesIO()
        size = client.step_log("shop", pipeline, step, whole)
        assert size == len(whole.getvalue())
        assert b"1 failed, 213 passed" in whole.getvalue()
        tail = client.step_log_tail("shop", pipeline, step, max_bytes=500)
        assert tail == LogSlice(whole.getvalue()[-500:], size - 500, size, True)
        everything = client.step_log_tail("shop", pipeline, step)
        assert everything == LogSlice(whole.getvalue(), 0, size, False)


@pytest.mark.parametrize("fault", ["ignore_range", "no_suffix_range", "redirect_log", "truncated", "drop_before"])
def test_the_tail_is_the_same_however_the_server_gives_it(box: Sandbox, fault: str) -> None:
    pipeline, step = failed_step(box)
    with box.client() as client:
        expected = client.step_log_tail("shop", pipeline, step, max_bytes=700)
        box.world.faults.add(fault, path="/log")
        assert client.step_log_tail("shop", pipeline, step, max_bytes=700) == expected


def test_a_log_store_elsewhere_does_not_see_the_token() -> None:
    def reply(path: str, headers: dict[str, str]) -> Reply:
        if path.startswith("/store"):
            return 200, {}, b"the log"
        return 307, {"location": f"http://localhost:{headers['host'].partition(':')[2]}/store?sig=1"}, b""

    with scripted(reply) as server, client_of(server.url) as client:
        assert client.step_log_tail("shop", "{1}", "{2}").data == b"the log"
    (_, _, asked), (_, stored, store) = server.requests
    assert asked["authorization"] == "Bearer s3cret"
    assert stored == "/store?sig=1"
    assert "authorization" not in store
    assert store["range"] == asked["range"]


def test_a_log_store_elsewhere_that_is_busy_silences_nobody_else() -> None:
    def reply(path: str, headers: dict[str, str]) -> Reply:
        if path.startswith("/store"):
            return 429, {"Retry-After": "3000"}, b""
        return 307, {"location": f"http://localhost:{headers['host'].partition(':')[2]}/store"}, b""

    with scripted(reply) as server, client_of(server.url) as client:
        with pytest.raises(TemporaryError, match="429"):
            client.step_log_tail("shop", "{1}", "{2}")
        assert client.budget.remaining > 0


def test_a_log_that_comes_compressed_all_the_same_is_unpacked() -> None:
    with (
        scripted(lambda path, headers: (200, {"content-encoding": "gzip"}, gzip.compress(LOG))) as server,
        client_of(server.url) as client,
    ):
        assert client.step_log_tail("shop", "{1}", "{2}", max_bytes=120).data == LOG[-120:]
        whole = io.BytesIO()
        assert client.step_log("shop", "{1}", "{2}", whole) == len(LOG)
    assert whole.getvalue() == LOG


def test_a_log_that_does_not_exist_yet_or_is_empty(box: Sandbox) -> None:
    pipeline, step = failed_step(box, "runner_lost")
    waiting = box.world.push("shop", "passing")
    with box.client() as client:
        assert client.step_log_tail("shop", pipeline, step) == EMPTY
        assert client.step_log_tail("shop", waiting.uuid, waiting.steps[1].uuid) == EMPTY
        assert client.step_log("shop", pipeline, step, io.BytesIO()) == 0
        assert client.step_log("shop", waiting.uuid, waiting.steps[1].uuid, io.BytesIO()) == 0


def test_a_log_grows_while_its_step_runs(box: Sandbox) -> None:
    run = box.world.push("shop", "running")
    sizes = []
    with box.client() as client:
        for _ in range(3):
            box.clock.forward(minutes=60)
            sizes.append(client.step_log_tail("shop", run.uuid, run.steps[0].uuid).total_bytes or 0)
    assert sizes == sorted(sizes)
    assert 0 < sizes[0] < sizes[2]


@pytest.mark.parametrize(
    ("content_range", "first", "total", "truncated"),
    [
        ("bytes 90-99/100", 90, 100, True),
        ("bytes 90-99/*", 90, None, True),
        ("BYTES 0-9/10", 0, 10, False),
        ("", 0, None, True),
        ("nonsense", 0, None, True),
    ],
)
def test_partial_answers_in_all_their_spellings(
    content_range: str, first: int, total: int | None, truncated: bool
) -> None:
    headers = {"content-range": content_range} if content_range else {}
    with scripted(lambda path, given: (206, headers, b"0123456789")) as server, client_of(server.url) as client:
        assert client.step_log_tail("s", "{1}", "{2}") == LogSlice(b"0123456789", first, total, truncated)


def test_416_for_every_range_is_an_empty_log_and_not_a_circle() -> None:
    with scripted(lambda path, given: (416, {"content-range": "bytes */50"}, b"")) as server:
        with client_of(server.url) as client:
            assert client.step_log_tail("s", "{1}", "{2}") == EMPTY
        assert len(server.requests) == 2


def test_a_server_that_sends_everything_is_read_in_bounded_memory() -> None:
    with scripted(lambda path, given: (200, {}, LOG * 100)) as server, client_of(server.url) as client:
        tail = client.step_log_tail("s", "{1}", "{2}", max_bytes=1000)
    assert (tail.data, tail.total_bytes, tail.truncated) == (LOG[-1000:], len(LOG) * 100, True)


def breaking_server(piece: int, *, knows_ranges: bool) -> object:
    """Sends ``piece`` bytes from the position asked for, promises more, and ends."""

    def reply(path: str, headers: dict[str, str]) -> Reply:
        match = re.match(r"bytes=(\d+)-", headers.get("range", "")) if knows_ranges else None
        start = int(match.group(1)) if match else 0
        rest = LOG[start:]
        given = {"content-length": str(len(rest))}
        if match:
            given["content-range"] = f"bytes {start}-{len(LOG) - 1}/{len(LOG)}"
        return 206 if match else 200, given, rest[:piece]

    return reply


def test_copying_goes_on_where_the_connection_broke() -> None:
    with scripted(breaking_server(70_000, knows_ranges=True)) as server, client_of(server.url) as client:  # type: ignore[arg-type]
        whole = io.BytesIO()
        assert client.step_log("s", "{1}", "{2}", whole) == len(LOG)
        assert whole.getvalue() == LOG
        assert len(server.requests) == 4


def test_copying_gives_up_when_it_gets_no_further() -> None:
    with scripted(breaking_server(70_000, knows_ranges=False)) as server, client_of(server.url) as client:  # type: ignore[arg-type]
        into = io.BytesIO()
        with pytest.raises(TemporaryError, match="broke"):
            client.step_log("s", "{1}", "{2}", into)
        assert LOG.startswith(into.getvalue())  # nothing twice, although each try began anew


def test_copying_stops_at_the_limit() -> None:
    with scripted(lambda path, given: (200, {}, LOG)) as server, client_of(server.url) as client:
        into = io.BytesIO()
        assert client.step_log("s", "{1}", "{2}", into, max_bytes=12_345) == 12_345
        assert into.getvalue() == LOG[:12_345]


def test_a_log_that_drips_is_left_in_time(box: Sandbox) -> None:
    pipeline, step = failed_step(box)
    box.world.faults.add("slow", path="/log", seconds=40, times=-1)
    began = time.monotonic()
    with box.client(timeout_seconds=0.4) as client, pytest.raises(TemporaryError):
        client.step_log_tail("shop", pipeline, step)
    assert time.monotonic() - began < 60, "it asks three times, and without its limit would wait for two minutes"
