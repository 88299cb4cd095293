"""The model's part of an answer: prose over the packet, of which only sentences that the evidence bears are shown.

Sentences are held back until they are whole and checked, so that nothing wrong is on the screen even for a moment. One
that fails is written again once, by the model, and dropped when that fails too.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Self

from crews.answer_prompt import LONGEST_QUESTION, room_for_packet
from crews.answer_tools import AnswerTools, fact_of
from crews.answers import Answer, Event, OnEvent, Usage
from crews.collectors.collector import Request
from crews.team.budget import RunBudget, RunControl
from crews.team.gateway_tools import NO_TOOLS, RoleTools
from crews.team.reason import Reasoner, ReasonResult
from crews.team.roles import Role
from crews.team.toolbox import ToolCall
from opscrew.answer.claims import ClaimCheck, sentences
from opscrew.answer.intents import intents
from opscrew.answer.packet import Fact, pack, shortened
from opscrew.answer.tokens import token_counter
from opscrew.answer.understand import Understanding
from opscrew.clock import Clock
from opscrew.memory.prompt_view import prompt_view
from opscrew.memory.turns import already_told
from opscrew.settings import Settings

CONVERSATION_TOKENS = 400
REWRITES = 1
"""Calls to mend sentences; all that failed go into the one."""

CHOICE_SECONDS = 12.0
LEAST_SECONDS = 2.0
"""With less time than this a model is not even asked."""


class Writer:
    """Holds the connection to the model. Use as a context manager; one for a whole chat.

    ``tools`` is where the model's own questions to the systems go; without it there is only what code gathered.
    """

    def __init__(self, settings: Settings, reasoner: Reasoner | None = None, tools: AnswerTools | None = None) -> None:
        self._settings = settings
        self._tools = tools
        self._reasoner = reasoner or Reasoner(settings.model, settings.data_dir, servers=settings.mcp.servers)
        self._count = token_counter(settings.data_dir, settings.model.name)
        self._spent = Usage(settings.model.name)
        self.control: RunControl | None = None
        self._reasoner.warm_up()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._reasoner.close()

    @property
    def usage(self) -> Usage:
        """Of the answer at hand: what choosing the intent has spent so far."""
        return self._spent

    def cancel(self) -> None:
        """Stops the answer that is being written; what was shown stays."""
        if self.control is not None:
            self.control.cancel()

    def choose_intent(self, question: str, understood: Understanding) -> Understanding:
        """Where the rules are unsure, the model chooses among the known intents and nothing else. A wish to have
        something done is none of its choices: that must come from a person's own words."""
        self._spent = Usage(self._settings.model.name)
        choices = {name: intent.title for name, intent in intents().items() if name != "act"}
        options = "\n".join(f"{name}: {title}" for name, title in choices.items())
        result = self._ask("choose_option", options, question, CHOICE_SECONDS, choices=tuple(choices), tokens=40)
        chosen = str((result.structured or {}).get("choice", ""))
        return replace(understood, intent=chosen, sure=True) if chosen in choices else understood

    def prepare(self, request: Request) -> None:
        """Starts what the model may need, while facts are being gathered."""
        if self._tools is not None:
            self._tools.begin(*self._role(request))

    def write(self, request: Request, answer: Answer, seconds: float, on_event: OnEvent) -> Answer:
        """``answer`` with prose, claims, usage and what tools brought; as it was, with a note, where the model gave
        nothing. Where there are neither facts nor tools, it is not asked."""
        if seconds < LEAST_SECONDS:
            return replace(answer, model_note="No time was left for the model.", usage=self._end())
        ends = time.monotonic() + seconds
        tools = self._tools_for(request, seconds)
        unavailable = (*answer.unavailable, *(f"tools of {one}" for one in tools.unavailable))
        answer = replace(answer, unavailable=unavailable)
        if not answer.facts and not tools.tools:
            return replace(answer, usage=self._end())
        check = ClaimCheck(answer.facts, request.question, self._settings.zone, request.names)
        stream = _Checked(check, on_event, request.context.clock)
        result = self._ask(
            "answer_question", self._evidence(request, answer, tools), request.question[:LONGEST_QUESTION],
            ends - time.monotonic(), on_token=stream.hear, role=request.intent.role, tools=tools.tools,
            on_tool=stream.learn,
        )  # fmt: skip
        stream.end(result.text)
        answer = replace(answer, facts=(*answer.facts, *stream.learnt))
        if stream.failed and not self._is_cancelled():
            self._mend(stream, answer, ends - time.monotonic())
        note = "" if result.state.ready and stream.kept else f"The {result.state}; this is what the facts say."
        return replace(
            answer,
            text=" ".join(stream.kept),
            kept=len(stream.kept),
            dropped=len(stream.failed),
            model_note="" if stream.kept else note,
            usage=self._end(),
        )

    def _mend(self, stream: _Checked, answer: Answer, seconds: float) -> None:
        """One call for all failed sentences; what holds then is shown, the rest stays dropped."""
        if seconds < LEAST_SECONDS:
            return
        failed, stream.failed = stream.failed, []
        listed = "\n".join(f"- {sentence} ({problem})" for sentence, problem in failed)[:LONGEST_QUESTION]
        task = self._reasoner.team.tasks["rewrite_sentence"]
        room = room_for_packet(self._reasoner.team.roles[task.role], task, listed, (), "", self._count)
        packet = pack(answer.facts, room, self._count, self._settings.zone).text
        result = self._ask("rewrite_sentence", packet, listed, seconds)
        before = len(stream.kept)
        for sentence in sentences(result.text):
            stream.take(sentence)
        mended = len(stream.kept) - before
        stream.failed = failed[mended:]

    def _role(self, request: Request) -> tuple[str, Role]:
        """The role that answers, with the name that servers admit it by."""
        team = self._reasoner.team
        name = request.intent.role or team.tasks["answer_question"].role
        return name, team.roles[name]

    def _tools_for(self, request: Request, seconds: float) -> RoleTools:
        return self._tools.of(*self._role(request), seconds / 4) if self._tools is not None else NO_TOOLS

    def _evidence(self, request: Request, answer: Answer, tools: RoleTools) -> str:
        """What was said before stands above the evidence, and what this person knows already is named."""
        view, known = self._conversation(request, answer)
        task, (_, role) = self._reasoner.team.tasks["answer_question"], self._role(request)
        question = request.question[:LONGEST_QUESTION]
        room = room_for_packet(role, task, question, tools.tools, view + known, self._count)
        packet = pack(answer.facts, room, self._count, self._settings.zone).text
        return f"{view}{packet}{known}"

    def _conversation(self, request: Request, answer: Answer) -> tuple[str, str]:
        """What stands before the evidence and what behind it; both "" in a conversation that begins."""
        conversation = request.conversation
        if conversation is None or not conversation.turns:
            return "", ""
        view = prompt_view(conversation, CONVERSATION_TOKENS, question=request.question, count=self._count)
        told = already_told(conversation, [fact.text for fact in answer.facts])
        ids = [fact.id for fact in answer.facts if fact.text in told]
        known = f"\nThey were told already, so say it in few words: {', '.join(ids)}" if ids else ""
        return f"{view.text}\nEvidence for this question:\n", known

    def _ask(self, task: str, packet: str, question: str, seconds: float, **more: object) -> ReasonResult:
        tokens = more.pop("tokens", None)
        budget = RunBudget(deadline_seconds=seconds, answer_tokens=tokens if isinstance(tokens, int) else 400)
        self.control = RunControl(budget)
        result = self._reasoner.reason(task, packet, question, control=self.control, **more)  # type: ignore[arg-type]
        spent = self._spent
        self._spent = replace(
            spent,
            calls=spent.calls + result.calls,
            prompt_tokens=spent.prompt_tokens + result.prompt_tokens,
            output_tokens=spent.output_tokens + result.output_tokens,
        )
        return result

    def _is_cancelled(self) -> bool:
        return self.control is not None and self.control.cancelled

    def _end(self) -> Usage:
        spent, self._spent = self._spent, Usage(self._settings.model.name)
        return spent


class _Checked:
    """Takes pieces of prose as they come, and lets whole sentences through that hold."""

    def __init__(self, check: ClaimCheck, on_event: OnEvent, clock: Clock) -> None:
        self._check, self._on_event, self._clock = check, on_event, clock
        self._heard = ""
        self._done = 0
        self.kept: list[str] = []
        self.failed: list[tuple[str, str]] = []
        self.learnt: list[Fact] = []

    def learn(self, call: ToolCall) -> None:
        """What a tool brought may be said from now on. It is checked against in full and shown in one line."""
        if call.failed:
            return
        fact = fact_of(call, self._clock())
        self._check.learn(fact)
        shown = replace(fact, text=shortened(fact.text))
        self.learnt.append(shown)
        self._on_event(Event("facts", facts=(shown,)))

    def hear(self, piece: str) -> None:
        """All but the last sentence are whole: another one has begun."""
        self._heard += piece
        found = sentences(self._heard)
        for sentence in found[self._done : -1]:
            self.take(sentence)
        self._done = max(self._done, len(found) - 1)

    def end(self, text: str) -> None:
        """The rest. ``text`` is the whole where nothing was streamed."""
        for sentence in sentences(self._heard or text)[self._done :]:
            self.take(sentence)

    def take(self, sentence: str) -> None:
        verdict = self._check.check(sentence)
        if verdict.holds:
            self.kept.append(sentence)
            self._on_event(Event("prose", sentence))
        else:
            self.failed.append((sentence, verdict.problem))
            self._on_event(Event("dropped", f"{sentence} ({verdict.problem})"))
