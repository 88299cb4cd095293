"""Turns a finding that is over into something to remember: what it was, what was done, and whether that helped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from opscrew.memory.documents import Document
from opscrew.model.action import Action, ActionState
from opscrew.model.finding import Finding
from opscrew.reading_time import minute

MOST_EVIDENCE = 8
"""Lines of evidence that are kept: enough to recognise the same failure, too few to drown the remedy."""


@dataclass(frozen=True)
class Remedy:
    """One action that answered the finding, its final state and what was seen afterwards."""

    action: Action
    state: ActionState
    outcome: str = ""


def episode(
    finding: Finding, first_seen: datetime, resolved_at: datetime, remedies: Sequence[Remedy] = (), title: str = ""
) -> Document:
    """The account of one finding from first sight to its end.

    ``title`` is the code's title from ``codes.yaml``. ``proven`` is True when an action succeeded, False when all
    failed, None when nothing was done: it may have gone by itself.
    """
    final = [remedy for remedy in remedies if remedy.state in (ActionState.SUCCEEDED, ActionState.FAILED)]
    return Document(
        id=f"episode/{finding.fingerprint}-{resolved_at:%Y%m%dT%H%M%S}",
        title=f"{title or finding.code}: {finding.subject}",
        text="\n\n".join(part for part in _parts(finding, first_seen, resolved_at, remedies) if part),
        kind="episode",
        system=finding.subject.system,
        code=finding.code,
        severity=finding.severity.value,
        happened_at=resolved_at,
        proven=any(remedy.state is ActionState.SUCCEEDED for remedy in final) if final else None,
    )


def _parts(finding: Finding, first_seen: datetime, resolved_at: datetime, remedies: Sequence[Remedy]) -> list[str]:
    reason = f" ({finding.reason})" if finding.reason else ""
    evidence = "\n".join(f"- {line.text}" for line in finding.evidence[:MOST_EVIDENCE])
    return [
        f"## What happened\n\n{finding.cause}{reason}",
        f"Seen from {minute(first_seen)} to {minute(resolved_at)}, for {_duration(first_seen, resolved_at)}.",
        f"## Evidence\n\n{evidence}" if evidence else "",
        "## What was done\n\n" + ("\n".join(map(_remedy, remedies)) or "Nothing; it ended by itself."),
    ]


def _remedy(remedy: Remedy) -> str:
    outcome = f": {remedy.outcome}" if remedy.outcome else ""
    return f"- {remedy.action.kind} of {remedy.action.target}, {remedy.state.value}{outcome}"


def _duration(start: datetime, end: datetime) -> str:
    minutes = max(int((end - start).total_seconds() // 60), 0)
    if minutes < 60:
        return f"{minutes} minutes"
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes < 2880 else f"{minutes // 1440} days"
