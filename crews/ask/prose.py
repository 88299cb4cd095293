"""What a model may add to an answer: sentences over the packet, of which only those that pass the gate are shown.

What code wrote stands before it and stays. Sentences are held back until they are whole and checked, so that nothing
wrong is on the screen even for a moment; one that fails is dropped. All calls of a question share one account.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Self

from crews.ask.answer import Answer, OnEvent, Usage
from crews.ask.gather.collector import Request
from crews.ask.prompt_room import MOST_CALLS, PROMPT_TOKENS, room_for_packet, shown_question
from crews.ask.stream import CheckedStream
from crews.ask.tools import AnswerTools
from crews.team.account import Account
from crews.team.budget import RunBudget, RunControl
from crews.team.gateway_tools import NO_TOOLS, RoleTools
from crews.team.reason import Reasoner, ReasonResult
from crews.team.roles import Role
from opscrew.answer.claims.check import ClaimCheck
from opscrew.answer.packet import pack
from opscrew.answer.prose.gate import ProseGate
from opscrew.answer.tokens import token_counter
from opscrew.answer.understand.intents import intents
from opscrew.answer.understand.question import Understanding
from opscrew.memory.prompt_view import prompt_view
from opscrew.memory.turns import already_told
from opscrew.model.citations import cited_in
from opscrew.settings import Settings

CONVERSATION_TOKENS = 400
ANSWER_TOKENS = 250
"""Written at most: three sentences, and the JSON around them."""

CHOICE_TOKENS = 40
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
        self._latest: Writing | None = None
        self._reasoner.warm_up()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._reasoner.close()

    def begin(self) -> Writing:
        """The model's part in a new question, with calls and tokens of its own."""
        ratio = self._reasoner.hosts.pace.last().ratio
        account = Account(PROMPT_TOKENS, MOST_CALLS, self._count, ratio)
        self._latest = Writing(self._settings, self._reasoner, self._tools, account)
        return self._latest

    def cancel(self) -> None:
        """Stops the answer that is being written, and keeps a later part of it from beginning; what was shown stays."""
        if self._latest is not None:
            self._latest.cancel()


class Writing:
    """The model's part in one question. It has its own account, so that a question that was given up takes nothing
    from the next one."""

    def __init__(self, settings: Settings, reasoner: Reasoner, tools: AnswerTools | None, account: Account) -> None:
        self._settings = settings
        self._reasoner = reasoner
        self._tools = tools
        self._account = account
        self._spent = Usage(settings.model.name)

    @property
    def usage(self) -> Usage:
        """So far."""
        return self._spent

    def cancel(self) -> None:
        self._account.cancel()

    def choose_intent(self, question: str, understood: Understanding) -> Understanding:
        """Where the rules are unsure, the model chooses among the known intents and nothing else. A request to have
        something done is none of its choices: that must come from a person's own words."""
        choices = {name: intent.title for name, intent in intents().items() if name != "act"}
        options = "\n".join(f"{name}: {title}" for name, title in choices.items())
        shown = shown_question(question, self._account.count)
        result = self._ask("choose_option", options, shown, CHOICE_SECONDS, CHOICE_TOKENS, choices=tuple(choices))
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
            return replace(answer, model_note="No time was left for the model.", usage=self._spent)
        ends = time.monotonic() + seconds
        tools = self._tools_for(request, seconds)
        unavailable = (*answer.unavailable, *(f"tools of {one}" for one in tools.unavailable))
        answer = replace(answer, unavailable=unavailable)
        if not answer.facts and not tools.tools:
            return replace(answer, usage=self._spent)
        check = ClaimCheck(answer.facts, request.question, self._settings.zone, request.names)
        gate = ProseGate(check, answer.facts, answer.text, has_gaps=bool(unavailable or answer.not_measured))
        stream = CheckedStream(gate, on_event, request.context.clock)
        result = self._ask(
            "answer_question",
            self._evidence(request, answer, tools),
            shown_question(request.question, self._account.count),
            ends - time.monotonic(),
            ANSWER_TOKENS,
            stream=stream,
            role=request.intent.role,
            tools=tools.tools,
        )
        stream.end(result.text, is_cut=result.cut)
        return replace(
            answer,
            facts=(*answer.facts, *stream.learnt),
            prose=tuple(stream.kept),
            kept=len(stream.kept),
            dropped=stream.dropped,
            model_note=_note(result, stream),
            usage=self._spent,
        )

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
        question = shown_question(request.question, self._account.count)
        room = room_for_packet(role, task, question, tools.tools, view + known, self._account)
        packet = pack(answer.facts, room, self._account.count, self._settings.zone).text
        return f"{view}{packet}{known}"

    def _conversation(self, request: Request, answer: Answer) -> tuple[str, str]:
        """What stands before the evidence, "" in a conversation that begins; and behind it, what the answer says."""
        told = set(cited_in(answer.text))
        conversation, view = request.conversation, ""
        if conversation is not None and conversation.turns:
            said = prompt_view(conversation, CONVERSATION_TOKENS, question=request.question, count=self._account.count)
            view = f"{said.text}\nEvidence for this question:\n"
            before = already_told(conversation, [fact.text for fact in answer.facts])
            told |= {fact.id for fact in answer.facts if fact.text in before}
        ids = [fact.id for fact in answer.facts if fact.id in told]
        return view, f"\nThey were told already: {', '.join(ids)}" if ids else ""

    def _ask(
        self,
        task: str,
        packet: str,
        question: str,
        seconds: float,
        answer_tokens: int,
        *,
        stream: CheckedStream | None = None,
        **more: object,
    ) -> ReasonResult:
        budget = RunBudget(deadline_seconds=seconds, answer_tokens=answer_tokens)
        control = RunControl(budget, account=self._account)
        if stream is not None:
            stream.when_done = control.stop_writing
            more |= {"on_token": stream.hear, "on_tool": stream.learn}
        result = self._reasoner.reason(task, packet, question, control=control, **more)  # type: ignore[arg-type]
        spent = self._spent
        self._spent = replace(
            spent,
            calls=spent.calls + result.calls,
            prompt_tokens=spent.prompt_tokens + result.prompt_tokens,
            output_tokens=spent.output_tokens + result.output_tokens,
        )
        return result


def _note(result: ReasonResult, stream: CheckedStream) -> str:
    """Why there is no prose; "" where there is some."""
    if stream.kept:
        return ""
    if not result.state.ready:
        return f"The {result.state}; this is what the facts say."
    return "The model had nothing to add that the evidence holds."
