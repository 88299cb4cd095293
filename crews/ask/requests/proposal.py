"""What became of a wish, and the one way in which an action is proposed from it."""

from __future__ import annotations

import re
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

from crews.actions.connected import connected_executors
from crews.ask.gather.collector import Request
from opscrew.actions.execution import Execution
from opscrew.actions.executor import NotYetError
from opscrew.actions.records import ActionRecord
from opscrew.actions.ruling import objection
from opscrew.answer.understand.request_words import doubt, doubt_of_earlier
from opscrew.model.action import Action

WHY = "asked for by a person"
TOLD = ("replicas", "to_revision", "to_gib", "minutes")
"""Parameters that a person who approves wants to see; the others only say which thing it is."""


@dataclass(frozen=True)
class Proposal:
    """``record`` is None where nothing could be proposed; ``text`` says in any case what became of it."""

    text: str
    record: ActionRecord | None = None


def nothing(reason: str) -> Proposal:
    """``reason`` without its full stop."""
    return Proposal(f"Nothing is proposed: {reason}.")


def unclear(request: Request, wish: str, names: Collection[str], amount: re.Pattern[str] | None = None) -> str:
    """Why a wish for the thing that has these names is asked back, without its full stop; "" where it is clear.
    ``wish`` is the question's own words, and behind them the earlier ones that it corrects."""
    own = request.question
    if against := doubt(own, names, amount):
        return against
    earlier = wish.removeprefix(own).strip()
    return doubt_of_earlier(earlier, request.names, amount) if earlier else ""


def proposed(request: Request, action: Action) -> Proposal:
    """The action with what policy says of it. One to which its executor objects now is not even recorded: who reads
    the answer is the one who can mend that. Raises ``UpstreamError`` where the executor cannot look."""
    if unfit := objection(action):
        return nothing(unfit)
    executor = next((one for one in connected_executors(request.context) if one.kind == action.kind), None)
    with suppress(NotYetError):  # it is held back when its time comes, as any other
        if executor is not None and (against := executor.precondition(action)):
            return nothing(against)
    return shown(execution(request).propose(action))


def shown(record: ActionRecord) -> Proposal:
    """An action that is on record, and how to approve it where it waits."""
    action = record.action
    note = f" ({record.note})" if record.note else ""
    how = f" Approve it with `crew actions approve {record.id}`." if record.state == "waiting" else ""
    values = [f"{name.replace('_', ' ')} {action.parameters[name]}" for name in TOLD if name in action.parameters]
    detail = f", {', '.join(values)}" if values else ""
    target = f"{action.target.scope} {action.target.name}".strip()
    return Proposal(f"Action {record.id}, {action.kind} of {target}{detail}: {record.state.value}{note}.{how}", record)


def execution(request: Request) -> Execution:
    """The record of actions."""
    context = request.context
    return Execution(context.engine, context.settings, context.clock, context.uptime)


def key_of(request: Request, action: str, target: str, detail: object = "") -> str:
    """Asked again within the hour is the same wish; tomorrow it is a new one."""
    return f"{action}:{target}:{detail}:{request.now:%Y-%m-%dT%H}"
