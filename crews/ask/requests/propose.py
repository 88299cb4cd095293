"""Turns "re-run it" into a proposed action with what policy says of it. Nothing is sent from here, and no model takes
part: the wish comes from the person, the target from records and the systems themselves, the permission from policy."""

from __future__ import annotations

import re
from collections.abc import Callable

from crews.ask.gather.collector import Request
from crews.ask.requests import alerts, pipelines, volumes, waiting, workloads
from crews.ask.requests.proposal import Proposal
from opscrew.answer.packet import Fact
from opscrew.answer.understand.intents import guess
from opscrew.answer.understand.wording import plain
from opscrew.store.text import storable
from tools.errors import UpstreamError

WISHES: tuple[tuple[re.Pattern[str], Callable[[Request, str], Proposal | None]], ...] = tuple(
    (re.compile(rf"(?<![\w-])(?:{verb})(?![\w-])", re.IGNORECASE), answer)
    for verb, answer in (
        ("silence|mute|snooze", alerts.silence),
        ("expand|enlarge|grow|resize", volumes.expand),
        ("scale", workloads.scale),
        (r"roll(?: \S+){0,4}? ?back|undo|revert", workloads.roll_back),
        ("re-?start|bounce", workloads.restart),
        ("stop|cancel|abort|kill", pipelines.stop),
        ("do (?:it|that|so)|go ahead|go for it|make it so|yes|proceed|confirm(?:ed)?", waiting.go_ahead),
        ("re-?run|re-?try|re-?build|re-?trigger|re-?start|run|start|trigger|again|do (?:it|that|so)|go ahead|"
         "go for it|make it so|yes", pipelines.run_again),
    )
)  # fmt: skip
"""What a wish is recognised by, with who answers it: the first that does. None leaves it to the next."""


def propose(request: Request) -> Proposal:
    """Never raises for what a system does."""
    wish = _wish(request)
    try:
        for verb, answer in WISHES:
            if verb.search(wish) and (found := answer(request, wish)):
                return found
    except UpstreamError as problem:
        return Proposal(storable(f"Nothing is proposed: {problem}."))
    return Proposal("I cannot propose that from a question. `crew actions` lists what I may do.")


def _wish(request: Request) -> str:
    """The words that say what to do: the question's own, or behind it those of the wish that it corrects, as in
    "no, payments"."""
    said = request.question
    if _verb_in(said) or guess(plain(said)).name == "act" or not request.conversation:
        return said
    wishes = (turn.question for turn in reversed(request.conversation.turns) if turn.intent == "act")
    return f"{said} {next(filter(_verb_in, wishes), '')}".strip()


def _verb_in(text: str) -> bool:
    return any(verb.search(text) for verb, _ in WISHES)


def fact_of(proposal: Proposal, request: Request) -> Fact:
    """The proposal as evidence, first of all."""
    return Fact("actions", proposal.text, request.now, weight=20)
