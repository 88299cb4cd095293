"""A scripted model host for a test, and a team that talks to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from crews.team.reason import Reasoner
from crews.team.toolbox import ToolResult, ToolSpec
from demo.ollama.app import create_app
from demo.ollama.script import Script, Speaker
from demo.serving import serve
from opscrew.settings import ModelSettings

LOG = "bitbucket_get_step_log"


def import_libraries(folder: Path) -> None:
    """Importing crewai takes seconds, on a busy machine many, which must not count against the deadline of a test."""
    Reasoner(ModelSettings(name="ollama_chat/any"), folder)._import()
    import_module("mcp.server.lowlevel")


@dataclass
class Setup:
    """``script`` holds what was asked; ``urls`` has one entry per host."""

    script: Script
    reasoner: Reasoner
    urls: list[str]


@contextmanager
def team_with(
    folder: Path, *speakers: Speaker, provider: str = "ollama_chat", more_hosts: Sequence[str] = (), **settings: object
) -> Iterator[Setup]:
    """One scripted host and a reasoner of its own, both gone afterwards."""
    script = Script(speakers=speakers) if speakers else Script()
    with ExitStack() as stack:
        url = stack.enter_context(serve(create_app(script)))
        base = url + ("/v1" if provider == "openai" else "")
        model = ModelSettings(name=f"{provider}/{script.model}", url=base, hosts=tuple(more_hosts), **settings)
        reasoner = Reasoner(model, folder)
        stack.callback(reasoner.close)
        yield Setup(script, reasoner, [url, *more_hosts])


def log_tool(call: object = None, *, mutates: bool = False, name: str = LOG) -> ToolSpec:
    """A tool that the CI engineer may use."""
    schema = {"type": "object", "properties": {"step": {"type": "string"}}, "required": ["step"]}
    answer = call or (lambda arguments: ToolResult(f"step {arguments['step']}: npm ERR! 503 Service Unavailable"))
    return ToolSpec(name, "Gets the log of one step. Long logs are cut.", schema, answer, mutates)
