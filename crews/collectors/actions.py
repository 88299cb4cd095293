"""What the crew did or wants to do, with how it ended."""

from __future__ import annotations

from collections.abc import Sequence

from crews.collectors.collector import Request
from opscrew.actions.catalog import catalog
from opscrew.actions.execution import Execution
from opscrew.actions.records import ActionRecord
from opscrew.answer.packet import Fact
from opscrew.answer.subjects import alternatives
from opscrew.model.action import ActionState

MOST = 10


def collect(request: Request) -> Sequence[Fact]:
    """Those of the time and subject that were asked about; of a time that reaches until now also all that wait."""
    context = request.context
    records = Execution(context.engine, context.settings, context.clock, context.uptime).list(limit=300)
    found = [record for record in records if _fits(record, request)]
    waiting = sum(record.state is ActionState.WAITING for record in found)
    asked_for = request.understood.intent == "actions"
    weight = 9.0 if asked_for else 4.5
    facts = []
    if asked_for:
        facts.append(Fact("actions", _counts(found, waiting), request.now, weight=10))
    for place, record in enumerate(sorted(found, key=_waiting_first)[:MOST]):
        facts.append(_fact(record, request, weight - 0.1 * place))
    return facts


def _waiting_first(record: ActionRecord) -> tuple[bool, float]:
    """What a person must decide comes first, then the latest."""
    return record.state is not ActionState.WAITING, -record.proposed_at.timestamp()


def _counts(found: Sequence[ActionRecord], waiting: int) -> str:
    by_state: dict[str, int] = {}
    for record in found:
        by_state[record.state.value] = by_state.get(record.state.value, 0) + 1
    states = ", ".join(f"{count} {state}" for state, count in by_state.items())
    counted = f"{len(found)} action{'' if len(found) == 1 else 's'}" + (f": {states}" if states else "")
    return counted + ("" if waiting else "; none waits for approval")


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


def _fits(record: ActionRecord, request: Request) -> bool:
    target = record.action.target
    names = {target.name, *target.scope.split("/")}
    named = alternatives(one for one in request.understood.subjects if one.kind != "branch")
    if not all(any(one.name in names for one in group) for group in named):
        return False
    reaches_now = request.end >= request.now
    if (record.state is ActionState.WAITING and reaches_now) or request.start is None:
        return True
    return request.start <= record.proposed_at <= request.end
