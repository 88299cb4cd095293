"""The team's one question to the model: a packet of evidence and a question in, an answer within a deadline out.

First the packet without tools: the agent answers, or names from a closed list what is missing. Only then follows a
talk with the few tools that fit. When a limit ends that talk, the agent is asked once more without tools. Whatever
happens, ``Reasoner.reason`` returns; with the model off or broken the caller shows its facts alone.
"""

from __future__ import annotations

import importlib
import json
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from crews.team.budget import Ending, Monotonic, RunBudget, RunControl, RunOver
from crews.team.conversation import Conversation, Wanted
from crews.team.extra_tools import extra_tools
from crews.team.hosts import ModelHosts
from crews.team.outputs import OUTPUTS, Output, schema_of
from crews.team.prompts import ROOM_FOR_THE_REST, fixed_tokens, packet_that_fits, prompt_for
from crews.team.queue import Priority
from crews.team.roles import Role, TaskText, allowed_tools, load_team
from crews.team.state import Condition, ModelState, ModelTrouble
from crews.team.switches import set_switches
from crews.team.toolbox import OnCall, Toolbox, ToolCall, ToolSpec
from opscrew.errors import UsageError
from opscrew.settings import ModelSettings

BROKEN_OFF_TRIES = 2
"""A connection that breaks before a word was shown is tried once more: a model that was unloaded comes back."""

CALLS_FOR_A_TOOL = 2
"""One names what is missing, one calls it. Where no more are allowed, the result itself is what the person gets."""


@dataclass(frozen=True)
class ReasonResult:
    """``text`` is empty when there is no prose; the facts are the answer then. ``structured`` holds the whole output.

    ``calls`` counts model calls. ``tool_calls`` carry what tools said, citable as T1, T2…. ``state`` says how the
    model is, for people. ``cut`` is true when ``text`` is a beginning only.
    """

    text: str
    structured: dict[str, Any] | None
    calls: int
    prompt_tokens: int
    output_tokens: int
    ended_because: Ending
    seconds: float
    state: ModelState
    tool_calls: tuple[ToolCall, ...] = ()
    cut: bool = False


class Reasoner:
    """Built once per process, with the model's settings; safe to use from several threads. ``servers`` is a list of
    MCP servers of one's own, whose tools a role may name."""

    def __init__(
        self,
        settings: ModelSettings,
        data_dir: Path,
        *,
        servers: Path | None = None,
        hosts: ModelHosts | None = None,
        clock: Monotonic = time.monotonic,
    ) -> None:
        self.team = load_team(servers=servers)
        self.settings = settings
        self.hosts = hosts or ModelHosts(settings, data_dir, clock=clock)
        self._clock = clock

    def close(self) -> None:
        self.hosts.close()

    def warm_up(self) -> None:
        """Imports crewai and litellm (some seconds) in a thread, so that it happens while facts are being gathered."""
        if self.settings.name != "none":
            threading.Thread(target=self._import, name="warm up", daemon=True).start()

    def _import(self) -> None:
        set_switches(self.hosts.data_dir)
        importlib.import_module("crews.team.local_model")
        importlib.import_module("litellm")

    def reason(  # noqa: PLR0913  all but three by keyword, and each caller sets its own few
        self,
        task: str,
        packet_text: str,
        question: str = "",
        *,
        tools: Sequence[ToolSpec] = (),
        budget: RunBudget | None = None,
        priority: Priority = Priority.PERSON,
        on_token: Callable[[str], None] | None = None,
        role: str = "",
        choices: Sequence[str] = (),
        control: RunControl | None = None,
        on_tool: OnCall | None = None,
    ) -> ReasonResult:
        """Always returns. ``role`` overrides the task's own; ``control`` lets the caller cancel; ``on_tool`` hears of
        each result before the model does.

        Raises ``UsageError`` for a task or role that does not exist, which is a mistake of ours and not the model's.
        """
        text, who = self._task(task, role)
        control = control or RunControl(budget or RunBudget(), self._clock)
        state = self.hosts.state()
        if state is not None:
            ending = Ending.MODEL_OFF if state.condition is Condition.OFF else Ending.MODEL_UNAVAILABLE
            return _nothing(control, ending, state)
        set_switches(self.hosts.data_dir)
        offered = allowed_tools(who, [*tools, *extra_tools(who)])
        output = OUTPUTS[text.output]
        if control.account is not None and control.account.calls_left < CALLS_FOR_A_TOOL:
            offered = []
        missing = [tool.name for tool in offered] if "missing" in output.model_fields else []
        wanted = Wanted(output, schema_of(output, missing=missing, choices=choices), on_token)
        conversation = Conversation(self.hosts, control, Toolbox((), control), priority, wanted)
        run = _Run(conversation, who, text, packet_text, question, offered, on_tool)
        with self.hosts.people.asking() if priority is Priority.PERSON else nullcontext():
            return run.result(self.settings.name)

    def _task(self, task: str, role: str) -> tuple[TaskText, Role]:
        text = self.team.tasks.get(task)
        if text is None:
            raise UsageError(f"there is no task {task}", f"There are: {', '.join(self.team.tasks)}.")
        who = self.team.roles.get(role or text.role)
        if who is None:
            raise UsageError(f"there is no role {role}", f"There are: {', '.join(self.team.roles)}.")
        return text, who


@dataclass
class _Run:
    """The course of one run. Split from ``Reasoner`` because every step shares these values."""

    conversation: Conversation
    role: Role
    task: TaskText
    packet: str
    question: str
    offered: list[ToolSpec]
    on_tool: OnCall | None = None

    def result(self, model: str) -> ReasonResult:
        control = self.conversation.control
        condition, detail = Condition.READY, ""
        answer: Output | str | None = None
        ending = Ending.ANSWERED
        try:
            answer, ending = self._think()
        except RunOver as over:
            ending, detail = over.ending, over.detail if over.ending is Ending.SLOW else ""
        except ModelTrouble as trouble:
            ending, condition, detail = Ending.MODEL_UNAVAILABLE, trouble.condition, trouble.message
        if condition is Condition.READY and answer is None and ending in (Ending.DEADLINE, Ending.SLOW):
            condition, detail = Condition.SLOW, detail or f"nothing usable within {control.seconds:.0f} s"
        state = ModelState(model, condition, detail, "" if condition is Condition.READY else "See `crew model try`.")
        result = _nothing(control, ending, state)
        cut = self.conversation.ended is not None and answer is not None
        prose = answer if isinstance(answer, str) else str(getattr(answer, answer.prose, "")) if answer else ""
        return replace(
            result,
            text=prose.strip(),
            structured=answer.model_dump() if isinstance(answer, Output) else None,
            tool_calls=self.conversation.toolbox.calls,
            cut=cut,
        )

    def _think(self) -> tuple[Output | str, Ending]:
        first = self._first_look()
        named = list(getattr(first, "missing", ()))
        fitting = [tool for tool in self.offered if tool.name in named]
        if not fitting:
            return first, self.conversation.ended or Ending.ANSWERED
        self.conversation.toolbox = Toolbox(fitting, self.conversation.control, on_call=self.on_tool)
        try:
            return self._ask(self.packet, (), with_tools=True), Ending.ANSWERED
        except (RunOver, ModelTrouble) as stop:
            if isinstance(stop, RunOver) and stop.ending is Ending.CANCELLED:
                raise
            ending = stop.ending if isinstance(stop, RunOver) else Ending.MODEL_UNAVAILABLE
        return self._last_answer(first, ending)

    def _first_look(self) -> Output:
        stopped: ModelTrouble | RunOver | None = None
        for attempt in range(1, BROKEN_OFF_TRIES + 1):
            try:
                answer = self._ask(self.packet, self.offered, with_tools=False)
                assert isinstance(answer, Output)
                return answer
            except (ModelTrouble, RunOver) as stop:
                again = _worth_another_try(stop, is_limited=self.conversation.control.account is not None)
                if attempt == BROKEN_OFF_TRIES or not again or self.conversation.shown:
                    # What a second try may not cost any more says nothing about the model; the first stop does.
                    raise (stopped if stopped and _is_spent(stop) else stop) from None
                stopped = stop
        raise AssertionError("the loop returns or raises")

    def _last_answer(self, first: Output, ending: Ending) -> tuple[Output | str, Ending]:
        """Once more, without tools, over the packet and what the tools brought. Else what the first look wrote."""
        results = [f"{call.id}: {call.name} gave: {call.text}" for call in self.conversation.toolbox.calls if call.id]
        wanted = self.conversation.wanted
        self.conversation.wanted = replace(wanted, schema=schema_of(wanted.output))
        try:
            return self._ask("\n".join((self.packet, *results)), (), with_tools=False, last=True), ending
        except (RunOver, ModelTrouble):
            if str(getattr(first, first.prose, "")).strip():
                return first, ending
            raise

    def _ask(self, packet: str, offered: Sequence[ToolSpec], *, with_tools: bool, last: bool = False) -> Output | str:
        from crews.team.crew_builder import run_crew

        packet = self._fitting(packet, offered, with_tools=with_tools, last=last)
        prompt = prompt_for(self.task, packet, self.question, offered, last=last)
        return run_crew(self.conversation, self.role, self.task, prompt, with_tools=with_tools)

    def _fitting(self, packet: str, offered: Sequence[ToolSpec], *, with_tools: bool, last: bool) -> str:
        """As much of the packet as the model reads at once, and as the question may still cost."""
        control, settings = self.conversation.control, self.conversation.hosts.settings
        packet = packet_that_fits(packet, settings.context_tokens - control.budget.answer_tokens - ROOM_FOR_THE_REST)
        account = control.account
        if account is None:
            return packet
        fixed = fixed_tokens(self.role, self.task, self.question, offered, account.count, last=last)
        if with_tools:
            fixed += sum(account.count(json.dumps(tool.as_function)) for tool in self.conversation.toolbox.tools)
        return packet_that_fits(packet, account.tokens_left - fixed, account.count)


def _worth_another_try(stop: ModelTrouble | RunOver, *, is_limited: bool) -> bool:
    """Where calls are counted, only for a broken connection: a model that wrote nothing has nothing to add."""
    if isinstance(stop, ModelTrouble):
        return stop.condition in (Condition.BROKEN, Condition.UNREACHABLE)
    return not is_limited and stop.ending in (Ending.EMPTY, Ending.REPETITION)


def _is_spent(stop: ModelTrouble | RunOver) -> bool:
    return isinstance(stop, RunOver) and stop.ending in (Ending.TOKENS, Ending.CALLS)


def _nothing(control: RunControl, ending: Ending, state: ModelState) -> ReasonResult:
    return ReasonResult(
        text="",
        structured=None,
        calls=control.calls,
        prompt_tokens=control.prompt_tokens,
        output_tokens=control.output_tokens,
        ended_because=ending,
        seconds=control.seconds,
        state=state,
    )
