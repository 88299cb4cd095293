"""How much may be done before people are asked: a pure count over what was done lately.

The hourly budgets and the cooldown ask a person when they are used up. The budget per commit is absolute: a commit
that was re-run as often as allowed is not re-run again by anybody through the crew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from opscrew.settings import BudgetSettings

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Spending:
    """One action that counts. ``age`` is the time since it was approved or sent, zero for the one in question."""

    kind: str
    scope: str
    commit: str
    cooldown_key: str
    age: timedelta = timedelta()


@dataclass(frozen=True)
class Shortage:
    """What is used up. ``absolute`` means that no approval helps."""

    budget: Literal["hour", "repository", "commit", "cooldown"]
    text: str
    absolute: bool = False


def shortage(limits: BudgetSettings, past: Sequence[Spending], wanted: Spending) -> Shortage | None:
    """The first budget that has no room for ``wanted``. ``past`` holds every earlier action of the commit and all of
    the last hour or the cooldown, whichever is longer; more does no harm."""
    same_commit = [one for one in past if wanted.commit and _same_commit(one, wanted)]
    if wanted.commit and len(same_commit) >= limits.per_commit:
        return Shortage("commit", f"commit {wanted.commit[:12]} has had its {_times(limits.per_commit)}", absolute=True)
    lately = [one for one in past if one.age < HOUR]
    if len(lately) >= limits.per_hour:
        return Shortage("hour", f"the budget of {_times(limits.per_hour)} an hour is used up")
    here = [one for one in lately if one.scope == wanted.scope]
    if len(here) >= limits.per_repository_hour:
        return Shortage(
            "repository", f"the budget of {_times(limits.per_repository_hour)} an hour for {wanted.scope} is used up"
        )
    cooldown = timedelta(minutes=limits.cooldown_minutes)
    if any(one.cooldown_key == wanted.cooldown_key and one.age < cooldown for one in past):
        return Shortage("cooldown", f"the same was done less than {limits.cooldown_minutes} minutes ago")
    return None


def _same_commit(one: Spending, wanted: Spending) -> bool:
    return (one.kind, one.scope, one.commit) == (wanted.kind, wanted.scope, wanted.commit)


def _times(number: int) -> str:
    return "1 action" if number == 1 else f"{number} actions"
