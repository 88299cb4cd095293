""" "Do it": whatever waits for a person already."""

from __future__ import annotations

from crews.ask.gather.collector import Request
from crews.ask.requests.proposal import Proposal, execution, nothing, shown
from opscrew.model.action import ActionState

MOST_TOLD = 4


def go_ahead(request: Request, wish: str) -> Proposal | None:
    """The action that waits for what the conversation is about, or the only one. None where nothing waits for it: a
    failed build is run again then."""
    del wish
    waiting = execution(request).in_states((ActionState.WAITING,))
    subjects = request.understood.subjects
    names = {one.name for one in subjects}
    meant = [
        record for record in waiting if names & {record.action.target.name, *record.action.target.scope.split("/")}
    ]
    found = meant if subjects else list(waiting)
    if not found:
        return None
    if len(found) == 1:
        return shown(found[0])
    listed = "; ".join(
        f"{record.id} {record.action.kind} of {record.action.target.name}" for record in found[:MOST_TOLD]
    )
    more = len(found) - MOST_TOLD
    return nothing(f"several wait for approval: {listed}" + (f" and {more} more" if more > 0 else ""))
