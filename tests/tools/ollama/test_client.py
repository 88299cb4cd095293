"""What a host says about itself, and what its silence means."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from demo.ollama.app import create_app
from demo.ollama.script import Script, says
from demo.serving import serve
from tools.errors import PermanentError, TemporaryError
from tools.ollama.client import OllamaClient


@pytest.fixture
def client() -> Iterator[OllamaClient]:
    with serve(create_app(Script(speakers=[says("web-3 did")]))) as url, OllamaClient(url) as made:
        yield made


def test_a_host_is_described(client: OllamaClient) -> None:
    assert client.version() == "0.24.0"
    assert [(model.name, model.details.parameter_size) for model in client.installed()] == [("demo:1b", "1.0B")]
    assert [model.context_length for model in client.loaded()] == [8192]
    card = client.card("demo:1b")
    assert (card.context_tokens, card.calls_tools, card.thinks) == (8192, True, False)


def test_speeds_come_from_the_hosts_own_clock(client: OllamaClient) -> None:
    timing = client.timed_answer("demo:1b", "which pod?", context_tokens=8192, keep_alive="1m")
    assert (round(timing.prompt_speed or 0), round(timing.output_speed or 0)) == (50, 10)


def test_a_model_that_is_not_there(client: OllamaClient) -> None:
    with pytest.raises(PermanentError, match="not found"):
        client.card("other:1b")


def test_nobody_listens() -> None:
    with OllamaClient("http://127.0.0.1:9") as client, pytest.raises(TemporaryError) as raised:
        client.version()
    assert "ollama serve" in raised.value.hint


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(401), PermanentError),
        (httpx.Response(503), TemporaryError),
        (httpx.Response(200, text="<html>"), PermanentError),
        (httpx.Response(200, json=[1]), PermanentError),
        (httpx.Response(200, json={"models": [{"size": 1}]}), PermanentError),
        (httpx.Response(200, json={"models": 7}), PermanentError),
    ],
)
def test_strange_answers_become_errors_of_ours(answer: httpx.Response, kind: type[Exception]) -> None:
    transport = httpx.MockTransport(lambda request: answer)
    with OllamaClient("http://ollama", transport=transport) as client, pytest.raises(kind):
        client.installed()


def test_a_password_in_the_url_is_not_repeated() -> None:
    with OllamaClient("http://me:secret@127.0.0.1:9/") as client, pytest.raises(TemporaryError) as raised:
        client.version()
    assert "secret" not in str(raised.value)
