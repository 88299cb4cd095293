"""The tools that a model may ask for while it writes an answer, and how what they gave becomes evidence.

Servers are started beside the gathering of facts, so that nobody waits for them, and are kept for the next question.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from datetime import datetime
from typing import Self

from crews.mcp.bitbucket import own_servers
from crews.mcp.servers import open_gateway
from crews.runtime.context import CrewContext
from crews.team.gateway_tools import NO_TOOLS, RoleTools, tools_for
from crews.team.roles import Role
from crews.team.toolbox import ToolCall
from opscrew.answer.packet import Fact

START_SECONDS = 4.0
"""How long an answer waits for servers after its facts are shown. A server that is late is there for the next one."""

TOOL_WEIGHT = 5.0
"""What was fetched on demand explains; the facts that code gathered for the question come first."""


class AnswerTools:
    """The gateway of one person's talk. Use as a context manager; nothing is started before ``begin``."""

    def __init__(self, context: CrewContext) -> None:
        self._gateway = open_gateway(context.settings, own_servers(lambda: context))
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="tools of a role")
        self._coming: dict[str, Future[RoleTools]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._gateway.close()

    def begin(self, name: str, role: Role) -> None:
        """Starts what the role called ``name`` may use, in the background."""
        if name not in self._coming:
            self._coming[name] = self._pool.submit(tools_for, name, role, self._gateway, seconds=START_SECONDS)

    def of(self, name: str, role: Role, seconds: float) -> RoleTools:
        """The tools, as far as their servers are up after ``seconds``. What is missing is looked for again
        at the next question."""
        self.begin(name, role)
        try:
            found = self._coming[name].result(min(START_SECONDS + 1, seconds))
        except FutureTimeout:
            return NO_TOOLS
        if found.unavailable:
            del self._coming[name]
        return found


def fact_of(call: ToolCall, now: datetime) -> Fact:
    """A result as evidence, citable by the id that the model saw (T1)."""
    source = f"{call.name} {_in_words(call.arguments)}".strip()
    return Fact(source, call.text, now, weight=TOOL_WEIGHT, id=call.id)


def _in_words(arguments: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={value}" for name, value in arguments.items())[:120]
