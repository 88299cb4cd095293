"""What a real Ollama once answered is still read the same way, and still asked the same way."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from crews.team.state import Condition, ModelTrouble
from tests.support.model_host import LOG
from tests.support.recorded_traffic import CASES, ask, cassette


def replay(name: str, folder: Path):
    # Somebody must listen; nothing is ever sent there.
    with socket.create_server(("127.0.0.1", 0)) as listener, cassette(name) as tape:
        try:
            return ask(CASES[name], f"http://127.0.0.1:{listener.getsockname()[1]}", folder)
        finally:
            assert tape.all_played


@pytest.mark.parametrize("name", ["choice", "thinking_choice"])
def test_a_schema_bound_answer(tmp_path: Path, name: str) -> None:
    completion = replay(name, tmp_path)
    assert json.loads(completion.text)["choice"] in ("ci", "costs")
    assert (completion.finish, completion.counted, completion.ended) == ("stop", True, None)
    assert completion.prompt_tokens > 5


def test_a_native_tool_call(tmp_path: Path) -> None:
    completion = replay("tool_call", tmp_path)
    assert completion.tool_calls == ({"name": LOG, "arguments": "{}"},)


def test_prose_that_was_cut_by_its_limit(tmp_path: Path) -> None:
    completion = replay("prose", tmp_path)
    assert (completion.finish, completion.output_tokens) == ("length", 12)
    assert completion.text


@pytest.mark.parametrize(
    ("name", "condition"), [("overlong", Condition.TOO_SMALL), ("missing_model", Condition.MISSING)]
)
def test_refusals(tmp_path: Path, name: str, condition: Condition) -> None:
    with pytest.raises(ModelTrouble) as refused:
        replay(name, tmp_path)
    assert refused.value.condition is condition
