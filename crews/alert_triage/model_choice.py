"""The model's part of triage: it chooses among the candidates that code has ranked, and words the choice.

With the model off or too slow, the code's own order stands and there is no prose. Nothing here can add a cause or an
action, and a sentence that the evidence does not hold is left out, as in an answer to a person.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from opscrew.alerts.causes import Candidate
from opscrew.answer.claims.check import ClaimCheck, sentences
from opscrew.answer.packet import Fact, pack, shortened
from opscrew.answer.prose.gate import ProseGate
from opscrew.answer.tokens import token_counter
from opscrew.model.evidence import Evidence
from opscrew.settings import Settings

if TYPE_CHECKING:
    from crews.team.reason import Reasoner, ReasonResult

SECONDS = 45.0
CLEAR_LEAD = 2.0
"""Where the first candidate fits so many times better than the second, there is nothing to choose."""
PACKET_TOKENS = 1_150
"""For causes and evidence, as in an answer to a person."""


@dataclass(frozen=True)
class Opinion:
    """``order`` are the candidates, the chosen one first. ``text`` cites them as E1, E2, …, and the lines of evidence
    behind them in their order. ``note`` says why there is less text than the model might have given, or none."""

    order: tuple[Candidate, ...]
    text: str = ""
    note: str = ""


def opinion(
    settings: Settings,
    title: str,
    candidates: Sequence[Candidate],
    lines: Sequence[Evidence],
    names: Collection[str] = (),
    reasoner: Reasoner | None = None,
) -> Opinion:
    """Always returns. ``names`` are those of the objects that the alerts and the candidates are about."""
    order = tuple(candidates)
    if settings.model.name == "none" or not order:
        return Opinion(order)
    from crews.team.budget import RunBudget
    from crews.team.queue import Priority
    from crews.team.reason import Reasoner

    asked = reasoner or Reasoner(settings.model, settings.data_dir, servers=settings.mcp.servers)
    try:
        if len(order) > 1 and order[0].score < CLEAR_LEAD * order[1].score:
            order = _chosen(asked, title, order)
        facts = _numbered(order, lines)
        count = token_counter(settings.data_dir, settings.model.name)
        packet = f"{title}\n{pack(facts, PACKET_TOKENS, count, settings.zone).text}"
        budget = RunBudget(deadline_seconds=SECONDS)
        told = asked.reason("explain_alert", packet, budget=budget, priority=Priority.BACKGROUND, role="sre")
        check = ClaimCheck(facts, title, settings.zone, names)
        return _checked(order, told, ProseGate(check, facts, told=""))
    finally:
        if reasoner is None:
            asked.close()


def _numbered(order: Sequence[Candidate], lines: Sequence[Evidence]) -> list[Fact]:
    """The causes in their order, then the evidence, as `crew alerts show` numbers them."""
    causes = [Fact("cause", shortened(f"{one.clue.text} ({one.why})"), one.clue.began_at) for one in order]
    seen = [Fact(line.source, shortened(line.text), line.observed_at) for line in lines]
    return [replace(fact, id=f"E{number}") for number, fact in enumerate([*causes, *seen], 1)]


def _checked(order: tuple[Candidate, ...], told: ReasonResult, gate: ProseGate) -> Opinion:
    """The sentences that pass the gate. A last one that was cut off is none."""
    said = sentences(told.text)
    said = list(dict.fromkeys(said[:-1] if told.cut else said))
    passed = [gate.take(sentence) for sentence in said]
    kept = [one.text for one in passed if not one.problem]
    if not said:
        return Opinion(order, note="" if told.state.ready else f"The {told.state}.")
    left_out = len(said) - len(kept)
    note = f"{left_out} of {len(said)} sentences said what the evidence does not hold and were left out."
    return Opinion(order, " ".join(kept), note if left_out else "")


def _chosen(asked: Reasoner, title: str, order: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    """One of the candidates that are nearly as good as the first; the rest keeps its order."""
    from crews.team.budget import RunBudget
    from crews.team.queue import Priority

    near = [one for one in order if one.score * CLEAR_LEAD > order[0].score]
    names = tuple(f"C{number}" for number in range(1, len(near) + 1))
    result = asked.reason(
        "choose_option",
        "\n".join(_listed(near)),
        f"Which is the likeliest cause of: {title}?",
        budget=RunBudget(deadline_seconds=SECONDS, answer_tokens=40),
        priority=Priority.BACKGROUND,
        role="sre",
        choices=names,
    )
    name = str((result.structured or {}).get("choice", ""))
    if name not in names:
        return order
    first = near[names.index(name)]
    return (first, *(one for one in order if one is not first))


def _listed(candidates: Sequence[Candidate]) -> list[str]:
    return [f"C{number}: {one.clue.text} ({one.why})" for number, one in enumerate(candidates, 1)]
