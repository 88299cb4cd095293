"""A real Ollama with random weights: protocol, grammar, cache, cancel and limits. Never the quality of answers."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from crews.team.budget import Ending, RunBudget, RunControl
from crews.team.hosts import ModelHosts, Request
from crews.team.outputs import Answer, schema_of
from crews.team.queue import Priority
from crews.team.reason import Reasoner
from crews.team.state import Condition, ModelTrouble, model_state
from crews.team.trial import try_model
from opscrew.settings import ModelSettings
from tests.support.model_host import LOG, import_libraries, log_tool
from tests.support.ollama import Ollama

pytestmark = pytest.mark.real

SCHEMA = schema_of(Answer, missing=[LOG])


@pytest.fixture(scope="module", autouse=True)
def libraries_are_imported(tmp_path_factory: pytest.TempPathFactory) -> None:
    import_libraries(tmp_path_factory.mktemp("import"))


@pytest.fixture(scope="module")
def ollama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ollama]:
    with Ollama(tmp_path_factory.mktemp("ollama")) as server:
        yield server


def settings(ollama: Ollama, model: str = "tiny", **more: object) -> ModelSettings:
    return ModelSettings(name=f"ollama_chat/{model}", url=ollama.url, context_tokens=4096, **more)


@pytest.fixture
def hosts(ollama: Ollama, tmp_path: Path) -> Iterator[ModelHosts]:
    made = ModelHosts(settings(ollama), tmp_path)
    yield made
    made.close()


def complete(hosts: ModelHosts, text: str, seconds: float = 60, control: RunControl | None = None, **request: object):
    control = control or RunControl(RunBudget(deadline_seconds=seconds))
    asked = Request([{"role": "user", "content": text}], **request)
    return hosts.complete(asked, control, Priority.PERSON, lambda: control.seconds_left)


@pytest.mark.parametrize("model", ["tiny", "tiny-thinking"])
def test_twenty_answers_of_twenty_keep_to_the_schema(ollama: Ollama, tmp_path: Path, model: str) -> None:
    hosts = ModelHosts(settings(ollama, model, temperature=1.0), tmp_path)
    for number in range(20):
        completion = complete(hosts, f"Question {number}", schema=SCHEMA, max_tokens=3_500)
        Answer.model_validate(json.loads(completion.text), strict=True)
        assert completion.counted
        assert completion.prompt_tokens > 5
    hosts.close()


def test_a_native_tool_call_arrives(hosts: ModelHosts) -> None:
    schema = {
        "type": "object",
        "properties": {"name": {"const": LOG}, "arguments": {"type": "object", "additionalProperties": False}},
        "required": ["name", "arguments"],
    }
    completion = complete(hosts, "Get the log", tools=[log_tool().as_function], schema=schema)
    assert [call["name"] for call in completion.tool_calls] == [LOG]
    assert json.loads(completion.tool_calls[0]["arguments"]) == {}


def test_overlong_input_is_refused_and_not_cut(hosts: ModelHosts) -> None:
    with pytest.raises(ModelTrouble) as refused:
        complete(hosts, "word " * 20_000)
    assert refused.value.condition is Condition.TOO_SMALL


def test_the_same_beginning_is_read_once(ollama: Ollama, tmp_path: Path) -> None:
    hosts = ModelHosts(settings(ollama, "slow"), tmp_path)
    complete(hosts, "load", max_tokens=1)
    facts = "\n".join(f"E{n}: the pod web-{n} restarted {n * 7} times since noon" for n in range(60))
    cold = complete(hosts, f"{facts}\nQuestion: which?", max_tokens=1)
    words = ("why?", "since when?", "what now?")  # the best of three: another program may hold one of them up
    warm = min(complete(hosts, f"{facts}\nQuestion: {one}", max_tokens=1).seconds for one in words)
    changed = complete(hosts, f"Now {facts}\nQuestion: why?", max_tokens=1)
    hosts.close()
    assert cold.prompt_tokens > 1_000
    assert warm < cold.seconds / 3
    assert changed.seconds > warm * 3


def test_cancelling_stops_the_generation(ollama: Ollama, tmp_path: Path) -> None:
    hosts = ModelHosts(settings(ollama, "slow"), tmp_path)
    complete(hosts, "load", max_tokens=1)
    control = RunControl(RunBudget(deadline_seconds=60))
    heard: list[str] = []

    def hear(text: str) -> None:
        heard.append(text)
        if len(heard) == 5:
            control.cancel()

    cut = complete(hosts, "Tell a long story", control=control, on_text=hear, max_tokens=2_000)
    assert cut.ended is Ending.CANCELLED
    started = time.monotonic()
    complete(hosts, "Next", max_tokens=1)
    waited = time.monotonic() - started
    some = complete(hosts, "Tell a long story", max_tokens=400)
    hosts.close()
    assert some.output_tokens > 300
    assert waited < 3 * some.seconds, "the rest of 2,000 tokens would have taken longer"


def test_a_model_that_is_unloaded_in_mid_answer_leaves_a_result(ollama: Ollama, tmp_path: Path) -> None:
    reasoner = Reasoner(settings(ollama, "slow"), tmp_path)
    unload = {"model": "slow", "keep_alive": 0}
    threading.Timer(0.7, lambda: httpx.post(f"{ollama.url}/api/generate", json=unload, timeout=30)).start()
    result = reasoner.reason("answer_question", "E1: a fact", "Why?", budget=RunBudget(deadline_seconds=30))
    again = reasoner.reason("answer_question", "E1: a fact", "Why?", budget=RunBudget(deadline_seconds=30))
    reasoner.close()
    assert result.seconds < 60
    assert again.calls >= 1
    assert again.state.ready


def test_two_questions_at_once_are_both_answered(ollama: Ollama, tmp_path: Path) -> None:
    reasoner = Reasoner(settings(ollama), tmp_path)
    results = []

    def ask() -> None:
        results.append(reasoner.reason("answer_question", "E1: a fact", "Why?", budget=RunBudget(deadline_seconds=100)))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    reasoner.close()
    assert len(results) == 2
    assert all(result.calls >= 1 and result.state.ready and result.seconds < 120 for result in results)


def test_a_whole_run_with_tools_ends_within_its_deadline(ollama: Ollama, tmp_path: Path) -> None:
    reasoner = Reasoner(settings(ollama, temperature=1.0), tmp_path)
    result = reasoner.reason(
        "answer_question",
        "E1: pipeline shop#42 failed",
        "Why?",
        role="ci_engineer",
        tools=[log_tool()],
        budget=RunBudget(deadline_seconds=20),
    )
    reasoner.close()
    assert result.seconds < 60
    assert result.calls >= 1


def test_the_state_names_what_is_wrong(ollama: Ollama) -> None:
    assert model_state(settings(ollama)).ready
    missing = model_state(settings(ollama, "absent"))
    assert (missing.condition, "ollama pull absent" in missing.hint) == (Condition.MISSING, True)
    small = model_state(ModelSettings(name="ollama_chat/tiny", url=ollama.url, context_tokens=40_000))
    assert small.condition is Condition.TOO_SMALL


def test_a_model_that_is_missing_is_named_by_a_run(ollama: Ollama, tmp_path: Path) -> None:
    reasoner = Reasoner(settings(ollama, "absent"), tmp_path)
    result = reasoner.reason("answer_question", "E1: a fact", "Why?")
    reasoner.close()
    assert result.state.condition is Condition.MISSING


def test_the_trial_measures_a_real_host(ollama: Ollama, tmp_path: Path) -> None:
    trial = try_model(settings(ollama), tmp_path)
    assert trial.problem == ""
    assert trial.prompt_speed
    assert trial.output_speed
    assert trial.obeys_schema
