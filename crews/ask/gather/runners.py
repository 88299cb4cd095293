"""The machines that carry builds out: online or not, busy or idle."""

from __future__ import annotations

from collections.abc import Sequence

from crews.ask.gather.collector import Request
from opscrew.answer.packet import Fact


def collect(request: Request) -> Sequence[Fact]:
    """Runners of the workspace."""
    client = request.context.systems.bitbucket
    assert client is not None, "only asked where Bitbucket is configured"
    found = client.runners()
    if found is None:
        return [Fact("bitbucket runners", "the token may not list runners", request.now, weight=6)]
    online, busy = sum(one.is_online for one in found), sum(one.is_busy for one in found)
    facts = [
        Fact(
            "bitbucket runners",
            f"{len(found)} runner{'' if len(found) == 1 else 's'}, {online} online, {busy} busy",
            request.now,
            weight=9,
        )
    ]
    for place, one in enumerate(found[:15]):
        state = f"{one.state.lower() or 'unknown'}{', busy' if one.is_busy else ''}"
        seen = f", last seen {request.when(one.seen_on)}" if one.seen_on else ""
        text = f"runner {one.name}: {state}{seen}" + (f", labels {' '.join(one.labels)}" if one.labels else "")
        facts.append(Fact("bitbucket runners", text, one.seen_on or request.now, weight=8 - 0.1 * place))
    return facts
