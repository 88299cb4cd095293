"""The model's part of triage: it chooses among the candidates that code has ranked, and words the choice.

With the model off or too slow, the code's own order stands and there is no prose. Nothing here can add a cause or an
action.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opscrew.alerts.causes import Candidate
from opscrew.model.evidence import Evidence
from opscrew.settings import Settings

if TYPE_CHECKING:
    from crews.team.reason import Reasoner

SECONDS = 45.0
CLEAR_LEAD = 2.0
"""Where the first candidate fits so many times better than the second, there is nothing to choose."""
MOST_LINES = 25


@dataclass(frozen=True)
class Opinion:
    """``order`` are the candidates, the chosen one first; ``text`` is empty without a model."""

    order: tuple[Candidate, ...]
    text: str = ""


def opinion(
    settings: Settings,
    title: str,
    candidates: Sequence[Candidate],
    lines: Sequence[Evidence],
    reasoner: Reasoner | None = None,
) -> Opinion:
    """Always returns."""
    order = tuple(candidates)
    if settings.model.name == "none" or not order:
        return Opinion(order)
    from crews.team.budget import RunBudget
    from crews.team.queue import Priority
    from crews.team.reason import Reasoner

    asked = reasoner or Reasoner(settings.model, settings.data_dir)
    try:
        if len(order) > 1 and order[0].score < CLEAR_LEAD * order[1].score:
            order = _chosen(asked, title, order)
        packet = "\n".join([title, *_listed(order), *(f"{line.source}: {line.text}" for line in lines[:MOST_LINES])])
        budget = RunBudget(deadline_seconds=SECONDS)
        told = asked.reason("explain_alert", packet, budget=budget, priority=Priority.BACKGROUND, role="sre")
        return Opinion(order, "" if told.cut else told.text)
    finally:
        if reasoner is None:
            asked.close()


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
