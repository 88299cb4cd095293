"""The client when the network, a proxy or Bitbucket misbehaves: each switchable fault, and servers odder than that."""

from __future__ import annotations

import threading
import time

import pytest

from tests.support.bitbucket import START, Reply, Sandbox, as_json, http_client, scripted
from tests.support.http_answers import nobody_listens
from tools.bitbucket.client import BitbucketClient
from tools.bitbucket.failures import Refused
from tools.errors import PermanentError, TemporaryError

PIPELINE = {"uuid": "{1}", "created_on": "2026-10-06T12:00:00Z"}


def client_of(url: str) -> BitbucketClient:
    return BitbucketClient(
        url, "acme", token="s3cret", clock=lambda: START, sleep=lambda seconds: None, http=http_client()
    )


@pytest.mark.parametrize("kind", ["error", "drop_before", "drop_after", "truncated"])
def test_a_read_is_repeated_over_passing_trouble(box: Sandbox, kind: str) -> None:
    box.world.faults.add(kind, times=2)
    with box.client() as client:
        assert client.repositories()[0].slug == "shop"
    assert len(box.outcomes) == 3
    assert box.pauses == [0.5, 2.0]


@pytest.mark.parametrize("kind", ["error", "drop_before", "drop_after", "truncated"])
def test_lasting_trouble_is_temporary_and_named(box: Sandbox, kind: str) -> None:
    box.world.faults.add(kind, times=-1)
    with box.client() as client, pytest.raises(TemporaryError) as problem:
        client.pipelines("shop")
    assert problem.value.system == "bitbucket"
    assert problem.value.url == f"{box.url}/2.0/repositories/acme/shop/pipelines/"
    assert problem.value.hint
    assert len(box.outcomes) == 3


@pytest.mark.parametrize("kind", ["wrong_json", "odd_json", "html"])
def test_a_wrong_answer_is_permanent_and_not_repeated(box: Sandbox, kind: str) -> None:
    box.world.faults.add(kind, times=-1)
    with box.client() as client, pytest.raises(PermanentError) as problem:
        client.pipelines("shop")
    assert "bitbucket.url" in problem.value.hint
    assert len(box.outcomes) == 1


def test_a_short_429_is_waited_for(box: Sandbox) -> None:
    box.world.faults.add("limited", seconds=3)
    with box.client() as client:
        assert client.repositories()
    assert box.outcomes == ["limited", "ok"]
    assert box.pauses == [3.0]


def test_a_long_429_is_handed_up_and_silences_everything_until_then(box: Sandbox) -> None:
    box.world.faults.add("limited", seconds=120)
    with box.client() as client:
        with pytest.raises(TemporaryError, match="429") as problem:
            client.repositories()
        assert problem.value.retry_after == 120
        with pytest.raises(TemporaryError, match="next request in 2 min"):
            client.ping()
        assert box.outcomes == ["limited"]
        box.clock.forward(seconds=121)
        assert client.ping()


def test_a_503_that_names_a_time_is_not_asked_again_before() -> None:
    with scripted(lambda path, headers: (503, {"Retry-After": "90"}, b"")) as server, http_client() as http:
        client = BitbucketClient(server.url, "acme", clock=lambda: START, sleep=lambda seconds: None, http=http)
        with pytest.raises(TemporaryError) as problem:
            client.ping()
    assert problem.value.retry_after == 90
    assert len(server.requests) == 1


def test_the_hour_used_up_at_bitbucket_is_a_429_without_a_time(box: Sandbox) -> None:
    """As recorded: plain text and no Retry-After. A minute is waited for, then asked again."""
    box.world.requests_per_hour = 3
    with box.client() as client:
        for _ in range(3):
            client.ping()
        with pytest.raises(TemporaryError, match="Rate limit for this resource has been exceeded") as problem:
            client.ping()
        assert problem.value.retry_after == 60
        assert "requests_per_hour" in problem.value.hint


def test_the_hour_used_up_at_bitbucket_is_a_429_with_its_time(box: Sandbox) -> None:
    box.world.requests_per_hour, box.world.limits_tell_how_long = 3, True
    with box.client() as client:
        for _ in range(3):
            client.ping()
        with pytest.raises(TemporaryError) as problem:
            client.ping()
        assert problem.value.retry_after == pytest.approx(3600, abs=2)
        box.clock.forward(hours=1, seconds=5)
        assert client.ping()


@pytest.mark.parametrize(("kind", "seconds"), [("hang", 60.0), ("slow", 40.0)])
def test_a_server_that_hangs_or_drips_is_left_in_time(box: Sandbox, kind: str, seconds: float) -> None:
    box.world.faults.add(kind, seconds=seconds, times=-1)
    began = time.monotonic()
    with box.client(timeout_seconds=0.4) as client, pytest.raises(TemporaryError, match=r"within 0\.4 seconds"):
        client.ping()
    assert time.monotonic() - began < 60, (
        "it asks three times, and without its limit would wait for two minutes or more"
    )


@pytest.mark.parametrize("kind", ["error", "drop_before", "drop_after", "truncated", "limited", "wrong_json"])
def test_a_re_run_is_sent_once_whatever_happens(box: Sandbox, kind: str) -> None:
    run = box.world.push("shop", "flaky")
    box.clock.forward(minutes=5)
    with box.client() as client:
        before = client.pipeline("shop", run.uuid)
        box.outcomes.clear()
        box.world.faults.add(kind, times=-1, method="POST", seconds=1)
        with pytest.raises((TemporaryError, PermanentError)) as problem:
            client.rerun("shop", before)
    assert len(box.outcomes) == 1
    took_effect = len(box.world.repositories["shop"].runs) == 2
    assert took_effect == (kind in ("drop_after", "truncated"))
    if kind.startswith("drop"):
        assert "may have been carried out" in problem.value.hint


def test_an_answer_that_is_neither_success_nor_refusal_says_nothing_about_what_was_done() -> None:
    with (
        scripted(lambda path, headers: (304, {}, b"")) as server,
        client_of(server.url) as client,
        pytest.raises(PermanentError) as problem,
    ):
        client.stop("shop", "{1}")
    assert not isinstance(problem.value, Refused)


def test_nobody_listens() -> None:
    with nobody_listens() as url, client_of(url + "/2.0") as client:
        with pytest.raises(TemporaryError, match="cannot connect"):
            client.ping()
        with pytest.raises(TemporaryError) as problem:
            client.stop("shop", "{1}")
    assert "may have been" not in problem.value.hint  # it was certainly not sent


@pytest.mark.parametrize("url", ["nonsense", "ftp://x.example/2.0", "http://"])
def test_an_address_that_is_none(url: str) -> None:
    with client_of(url) as client, pytest.raises((PermanentError, TemporaryError)) as problem:
        client.ping()
    assert "bitbucket.url" in problem.value.hint


def test_next_pages_on_another_host_are_not_followed() -> None:
    def reply(path: str, headers: dict[str, str]) -> Reply:
        return as_json({"values": [PIPELINE], "next": "https://evil.example/2.0/page2"})

    with scripted(reply) as server, client_of(server.url) as client:
        with pytest.raises(PermanentError, match=r"another host \(evil\.example\)"):
            client.pipelines("shop")
        assert len(server.requests) == 1


def test_pages_that_lead_in_a_circle_end() -> None:
    def reply(path: str, headers: dict[str, str]) -> Reply:
        return as_json({"values": [PIPELINE], "next": f"http://{headers['host']}{path}"})

    with scripted(reply) as server, client_of(server.url) as client:
        assert len(client.pipelines("shop", limit=50)) == 1


def test_an_api_redirect_stays_on_its_host() -> None:
    def reply(path: str, headers: dict[str, str]) -> Reply:
        if "renamed" in path:
            return as_json({"values": [PIPELINE]})
        place = "https://evil.example/" if "elsewhere" in path else "/2.0/repositories/acme/renamed/pipelines/"
        return 301, {"location": place}, b""

    with scripted(reply) as server, client_of(server.url + "/2.0") as client:
        assert len(client.pipelines("shop")) == 1
        with pytest.raises(PermanentError, match="another host"):
            client.pipelines("elsewhere")


def test_redirects_in_a_circle_end() -> None:
    with scripted(lambda path, headers: (302, {"location": path}, b"")) as server, client_of(server.url) as client:
        with pytest.raises(TemporaryError, match="circle"):
            client.ping()
        assert len(server.requests) == 9  # three tries of three hops


def test_one_unreadable_entry_does_not_hide_the_others() -> None:
    odd = [{"uuid": None}, "text", None, {"uuid": "{2}", "created_on": "yesterday"}]

    def reply(path: str, headers: dict[str, str]) -> Reply:
        return as_json({"values": odd if "broken" in path else [*odd, PIPELINE]})

    with scripted(reply) as server, client_of(server.url) as client:
        assert [one.uuid for one in client.pipelines("shop")] == ["{1}"]
        with pytest.raises(PermanentError, match="no Pipeline"):
            client.pipelines("broken")


def test_the_token_is_in_no_message_even_when_the_server_repeats_it() -> None:
    def reply(path: str, headers: dict[str, str]) -> Reply:
        words = f"bad header {headers['authorization']}\n" + "x" * 1000
        return as_json({"error": {"message": words}}, status=400)

    with scripted(reply) as server, client_of(server.url) as client, pytest.raises(PermanentError) as problem:
        client.ping()
    assert "s3cret" not in str(problem.value)
    assert "\n" not in problem.value.message
    assert len(problem.value.message) < 260


def test_credentials_and_queries_in_an_address_are_not_shown() -> None:
    with scripted(lambda path, headers: (500, {}, b"")) as server:
        url = server.url.replace("http://", "http://name:pass@")
        with client_of(url) as client, pytest.raises(TemporaryError) as problem:
            client.pipelines("shop")
    assert "pass" not in str(problem.value).replace("passing", "")
    assert "?" not in problem.value.url


def test_a_far_too_large_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.bitbucket.connection.LARGEST_ANSWER", 10_000)
    reply: Reply = (200, {}, b" " * 2_000_000)
    with scripted(lambda path, headers: reply) as server, client_of(server.url) as client:  # noqa: SIM117
        with pytest.raises(PermanentError, match="far too large"):
            client.ping()


def test_many_threads_share_one_client_and_one_budget(box: Sandbox) -> None:
    with box.client(requests_per_hour=50) as client:
        refused: list[TemporaryError] = []

        def ask() -> None:
            for _ in range(10):
                try:
                    client.ping()
                except TemporaryError as problem:
                    refused.append(problem)

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert box.outcomes.count("ok") == 50
    assert len(refused) == 30
