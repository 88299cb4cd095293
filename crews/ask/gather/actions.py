"""What the crew did or wants to do, with how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crews.ask.gather.collector import Request
from opscrew.actions.catalog import catalog
from opscrew.actions.queries import concerning, count_by_state, waiting_first
from opscrew.actions.records import ActionRecord
from opscrew.answer.packet import Fact
from opscrew.answer.understand.subjects import alternatives
from opscrew.model.action import ActionState
from opscrew.store.database import reading

MOST = 10


def collect(request: Request) -> Sequence[Fact]:
    """Those of the time and subject that were asked about; of a time that reaches until now also all that wait."""
    named = alternatives(one for one in request.understood.subjects if one.kind != "branch")
    wanted = concerning(
        [[one.name for one in group] for group in named],
        request.start,
        request.end,
        also_waiting=request.end >= request.now,
    )
    with reading(request.context.engine).connect() as connection:
        counted = count_by_state(connection, wanted)
        told = waiting_first(connection, wanted, MOST)
    asked_for = request.understood.intent == "actions"
    weight = 9.0 if asked_for else 4.5
    facts = []
    if asked_for:
        facts.append(Fact("actions", _counts(counted), request.now, weight=10))
    return facts + [_fact(record, request, weight - 0.1 * place) for place, record in enumerate(told)]


def _counts(by_state: Mapping[str, int]) -> str:
    total = sum(by_state.values())
    states = ", ".join(f"{count} {state}" for state, count in by_state.items())
    counted = f"{total} action{'' if total == 1 else 's'}" + (f": {states}" if states else "")
    return counted + ("" if ActionState.WAITING in by_state else "; none waits for approval")


def _fact(record: ActionRecord, request: Request, weight: float) -> Fact:
    kind = catalog().get(record.action.kind)
    title = kind.title if kind else record.action.kind
    receipt = f" ({record.receipt.detail})" if record.receipt and record.receipt.detail else ""
    note = f": {record.note}" if record.note else ""
    text = (
        f"{title}: {record.action.target.scope} {record.action.target.name}, {record.state.value}{receipt}, "
        f"proposed at {request.when(record.proposed_at)}, action {record.id}{note}"
    )
    link = record.receipt.url if record.receipt else record.action.target.url
    return Fact("actions", text, record.finished_at or record.proposed_at, link, weight)
