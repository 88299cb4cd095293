"""Traffic with a real Ollama, recorded once and replayed without one.

Record again after an upgrade of LiteLLM or Ollama, with the program that `make parts` built:

    python -m tests.support.recorded_traffic
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import vcr

from crews.team.budget import RunBudget, RunControl
from crews.team.completion import Completion
from crews.team.hosts import ModelHosts, Request
from crews.team.outputs import Choice, schema_of
from crews.team.queue import Priority
from crews.team.state import ModelTrouble
from opscrew.settings import ModelSettings
from tests.support.model_host import LOG, log_tool

CASSETTES = Path(__file__).parents[1] / "crews/team/cassettes"

CALL_SCHEMA = {
    "type": "object",
    "properties": {"name": {"const": LOG}, "arguments": {"type": "object", "additionalProperties": False}},
    "required": ["name", "arguments"],
}


@dataclass(frozen=True)
class Case:
    """One exchange. ``words`` is the user's message."""

    model: str
    words: str
    more: dict[str, Any]


CASES = {
    "choice": Case("tiny", "Which?", {"schema": schema_of(Choice, choices=["ci", "costs"])}),
    "thinking_choice": Case("tiny-thinking", "Which?", {"schema": schema_of(Choice, choices=["ci", "costs"])}),
    "tool_call": Case("tiny", "Get the log", {"tools": [log_tool().as_function], "schema": CALL_SCHEMA}),
    "prose": Case("tiny", "Hello", {"max_tokens": 12}),
    "overlong": Case("tiny", "word " * 6_000, {}),
    "missing_model": Case("absent", "Hello", {}),
}


def ask(case: Case, url: str, folder: Path) -> Completion:
    settings = ModelSettings(name=f"ollama_chat/{case.model}", url=url, context_tokens=4096, temperature=0)
    hosts = ModelHosts(settings, folder)
    control = RunControl(RunBudget(deadline_seconds=60))
    request = Request([{"role": "user", "content": case.words}], **case.more)
    try:
        return hosts.complete(request, control, Priority.PERSON, lambda: control.seconds_left)
    finally:
        hosts.close()


@contextmanager
def cassette(name: str, mode: str = "none") -> Iterator[Any]:
    """Matched by what is asked and not by where, since each recording host has its own port."""
    recorder = vcr.VCR(
        match_on=["method", "path", "body"], filter_headers=["authorization", "user-agent", "host"], record_mode=mode
    )
    with recorder.use_cassette(str(CASSETTES / f"{name}.yaml")) as tape:
        yield tape


def record() -> None:
    from tests.support.ollama import Ollama

    CASSETTES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Ollama(Path(folder)) as server:
        for name, case in CASES.items():
            (CASSETTES / f"{name}.yaml").unlink(missing_ok=True)
            with cassette(name, "all"):
                try:
                    sys.stdout.write(f"{name}: {ask(case, server.url, Path(folder))}\n")
                except ModelTrouble as refused:
                    sys.stdout.write(f"{name}: {refused}\n")


if __name__ == "__main__":
    record()
