"""The scripted host speaks both protocols as the real ones do."""

from __future__ import annotations

import json
import time

import httpx
import pytest

from demo.ollama.app import create_app
from demo.ollama.script import Reply, Script, answers, calls, first_evidence, says
from demo.serving import serve

ASK = {"model": "demo:1b", "messages": [{"role": "user", "content": "E1: the disk is full\nE2: since noon"}]}


def post(url: str, asked: object) -> httpx.Response:
    return httpx.post(url, json=asked, timeout=60, trust_env=False)


def test_ollamas_stream_ends_with_counts() -> None:
    with serve(create_app(Script(speakers=[says("two words", thinking="hm")]))) as url:
        lines = [json.loads(line) for line in post(f"{url}/api/chat", ASK).text.splitlines()]
    assert [line["message"].get("thinking", "") for line in lines] == ["hm", "", "", ""]
    assert "".join(line["message"]["content"] for line in lines) == "two words"
    assert [line["done"] for line in lines] == [False, False, False, True]
    assert lines[-1]["prompt_eval_count"] > 0


def test_openais_stream_ends_with_usage_and_done() -> None:
    with serve(create_app(Script(speakers=[calls("query", {"q": "up"})]))) as url:
        events = post(f"{url}/v1/chat/completions", ASK).text.split("\n\n")
    data = [json.loads(event.removeprefix("data: ")) for event in events[:-2]]
    assert data[0]["choices"][0]["delta"]["tool_calls"][0]["function"] == {"name": "query", "arguments": '{"q": "up"}'}
    assert data[-1]["usage"]["prompt_tokens"] > 0
    assert events[-2] == "data: [DONE]"


def test_speakers_take_turns_and_the_last_one_goes_on() -> None:
    script = Script(speakers=[says("one"), says("two")])
    with serve(create_app(script)) as url:
        said = [post(f"{url}/api/chat", {**ASK, "stream": False}).json() for _ in range(3)]
    assert [answer["message"]["content"] for answer in said] == ["one", "two", "two"]
    assert len(script.asked) == 3


def test_the_default_speaker_repeats_evidence_as_the_schema_wants_it() -> None:
    asked = {**ASK, "format": {"properties": {"answer": {"type": "string"}, "cited": {"type": "array"}}}}
    assert json.loads(first_evidence(asked).text) == {
        "answer": "the disk is full (E1). since noon (E2).",
        "cited": ["E1", "E2"],
    }
    assert answers("x")(ASK) == Reply(text="x")


def test_an_unknown_model_and_a_scripted_error() -> None:
    with serve(create_app(Script(speakers=[says(status=500, error="runner stopped")]))) as url:
        assert post(f"{url}/api/chat", {**ASK, "model": "other"}).status_code == 404
        failed = post(f"{url}/api/chat", ASK)
    assert (failed.status_code, failed.json()) == (500, {"error": "runner stopped"})


def test_a_cut_connection_and_a_slow_one() -> None:
    with serve(create_app(Script(speakers=[says("a b c d", cut_after=2), says("a b c", tokens_per_second=20)]))) as url:
        with pytest.raises(httpx.RemoteProtocolError):
            post(f"{url}/api/chat", ASK)
        started = time.monotonic()
        post(f"{url}/api/chat", ASK)
    assert time.monotonic() - started > 0.14
