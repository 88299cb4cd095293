"""Every state of the model has words for people."""

from __future__ import annotations

import pytest

from crews.team.state import Condition, bare_name, hosts_of, model_state
from demo.ollama.app import create_app
from demo.ollama.script import Script, says
from demo.serving import serve
from opscrew.settings import ModelSettings


def state(name: str = "ollama_chat/demo:1b", script: Script | None = None, **more: object):
    with serve(create_app(script)) as url:
        return model_state(ModelSettings(name=name, url=url, **more), timeout_seconds=60)


def test_ready_names_the_hosts_that_have_it() -> None:
    found = state(hosts=("http://127.0.0.1:9",))
    assert found.ready
    assert len(found.hosts) == 1


@pytest.mark.parametrize(
    ("found", "condition", "hint"),
    [
        (lambda: model_state(ModelSettings()), Condition.OFF, "model.name"),
        (lambda: state("ollama_chat/other:1b"), Condition.MISSING, "ollama pull other:1b"),
        (lambda: state(context_tokens=32_000), Condition.TOO_SMALL, "8192 or less"),
        (
            lambda: model_state(ModelSettings(name="ollama_chat/a", url="http://127.0.0.1:9")),
            Condition.UNREACHABLE,
            "ollama serve",
        ),
    ],
)
def test_what_is_wrong_is_named_with_what_to_do(found, condition: Condition, hint: str) -> None:
    made = found()
    assert (made.condition, made.ready) == (condition, False)
    assert hint in made.hint


def test_a_model_that_calls_no_tools_is_ready_with_a_note() -> None:
    found = state(script=Script(speakers=[says("")], capabilities=("completion",)))
    assert found.ready
    assert "not made to call tools" in found.detail


def test_names_and_hosts() -> None:
    assert (bare_name("ollama_chat/qwen3:4b"), bare_name("openai/x")) == ("qwen3:4b", "openai/x")
    settings = ModelSettings(name="ollama_chat/a", url="http://a:1/", hosts=("http://a:1", "http://b:1"))
    assert hosts_of(settings) == ("http://a:1", "http://b:1")
