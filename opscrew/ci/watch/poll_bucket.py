"""How many requests may be planned now, so that no hour exceeds Bitbucket's number. Pure.

A token bucket (rate and burst together stay below the ceiling in any hour), which shrinks when Bitbucket's own headers
say that little is left. After a start or a long pause most of the hour's requests were not used: repositories that
nobody has looked at for so long are then looked at at once, out of what the hour has left, and the bucket fills more
slowly until that hour is over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from opscrew.strict_yaml import load_strictly

RULES_FILE = Path(__file__).with_name("polling.yaml")
HOUR = timedelta(hours=1)


class PollRules(BaseModel):
    """The numbers of ``polling.yaml``, explained there. Times in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    active_seconds: float = Field(gt=0)
    widening: float = Field(gt=0, le=1)
    quiet_seconds: float = Field(gt=0)
    active_seconds_with_webhooks: float = Field(gt=0)
    quiet_seconds_with_webhooks: float = Field(gt=0)
    listing_seconds: float = Field(gt=0)
    listing_seconds_with_webhooks: float = Field(gt=0)
    full_listing_hours: float = Field(gt=0)
    listing_share: float = Field(gt=0, le=1)
    reserve: float = Field(ge=0, lt=1)
    burst: int = Field(ge=1)
    catch_up_share: float = Field(ge=0, lt=1)
    spare_above: float = Field(ge=0, le=1)
    early_share: float = Field(gt=0, le=1)
    full_above: float = Field(gt=0, le=1)
    none_below: float = Field(ge=0, lt=1)
    failure_factor: float = Field(ge=1)
    jitter_seconds: float = Field(ge=0)


@cache
def poll_rules() -> PollRules:
    """The rules as shipped."""
    return load_strictly(RULES_FILE, PollRules)


@dataclass(frozen=True, slots=True)
class Poller:
    """What is known beside the repositories: the token bucket, and when the repositories were last listed, the ones
    that changed last and all of them. ``recent`` are the planned requests of the last hour, by the minute."""

    tokens: float
    counted_at: datetime
    listed_at: datetime | None = None
    all_listed_at: datetime | None = None
    recent: tuple[tuple[datetime, int], ...] = ()


def refilled(poller: Poller | None, now: datetime, ceiling: int, rules: PollRules) -> Poller:
    """The bucket as it stands now; a first one starts full. ``ceiling`` is requests per hour."""
    looks = for_looks(ceiling, rules)
    burst = _burst(ceiling, rules)
    if poller is None:
        return Poller(burst, now)
    elapsed = (now - poller.counted_at).total_seconds()
    if elapsed < 0:  # the clock went back: no tokens for time that is lived twice
        recent = tuple((min(moment, now), count) for moment, count in poller.recent)
        return replace(poller, counted_at=now, listed_at=None, recent=recent)
    recent = tuple((moment, count) for moment, count in poller.recent if moment > now - HOUR)
    # What was caught up on at once is missing for the rest of its hour, evenly.
    rate = max(max(looks - burst, looks / 2) - _caught_up(recent, burst), looks / 10) / 3600
    return replace(poller, tokens=min(burst, poller.tokens + elapsed * rate), counted_at=now, recent=recent)


def allowance(poller: Poller, *, remaining: int, limit: int, rules: PollRules) -> int:
    """How many requests may be planned now. ``remaining`` of ``limit`` is what is left of this hour."""
    share = remaining / limit if limit > 0 else 0.0
    open_part = (share - rules.none_below) / (rules.full_above - rules.none_below)
    return max(0, min(int(poller.tokens * min(1.0, max(0.0, open_part))), remaining, _unspent(poller, limit, rules)))


def catch_up(poller: Poller, *, remaining: int, limit: int, rules: PollRules) -> int:
    """How many looks beyond the allowance the unspent part of the hour has for repositories left for very long.

    The reserve stays for follow-ups, and a full bucket for what happens in the meantime.
    """
    burst = _burst(limit, rules)
    unspent = _unspent(poller, limit, rules) - burst
    most = rules.catch_up_share * for_looks(limit, rules) - _caught_up(poller.recent, burst)
    return max(0, int(min(unspent, most, remaining - burst - rules.reserve * limit)))


def spent(poller: Poller, requests: int) -> Poller:
    """The bucket after ``requests`` were sent by the plan. Follow-ups come out of the reserve and do not count."""
    minute = poller.counted_at.replace(second=0, microsecond=0)
    recent = poller.recent
    if recent and recent[-1][0] >= minute:
        recent = (*recent[:-1], (poller.counted_at, recent[-1][1] + requests))
    elif requests:
        recent = (*recent, (poller.counted_at, requests))
    return replace(poller, tokens=max(0.0, poller.tokens - requests), recent=recent)


def for_looks(ceiling: int, rules: PollRules) -> float:
    return ceiling * (1 - rules.reserve)


def _burst(ceiling: int, rules: PollRules) -> float:
    """With less than one, a small ceiling would never allow a look."""
    return max(1.0, min(rules.burst, for_looks(ceiling, rules) / 2))


def _unspent(poller: Poller, limit: int, rules: PollRules) -> int:
    """What the last hour has left for looks. At least one, so that a tiny ceiling looks at something."""
    return max(1, int(for_looks(limit, rules))) - sum(count for _, count in poller.recent)


def _caught_up(recent: Iterable[tuple[datetime, int]], burst: float) -> float:
    """What was spent within one minute beyond a full bucket: nothing but catching up does that."""
    return sum(max(0.0, count - burst) for _, count in recent)
