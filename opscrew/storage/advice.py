"""What to do about a volume: enlarge it to a size, clean it up, move it, or leave it, each with the reason.

Enlarging is the easy answer and cannot be undone, so every other one is tried first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from opscrew.reading_time import minute
from opscrew.storage.rules import StorageRules, storage_rules
from opscrew.storage.teeth import read_habit
from opscrew.storage.trouble import Trouble, look_for_trouble
from opscrew.storage.volume import DAY, GIB, Fit, StorageClass, Volume


class Step(StrEnum):
    """The four answers."""

    EXPAND = "expand"
    CLEAN_UP = "clean_up"
    MIGRATE = "migrate"
    LEAVE = "leave"


@dataclass(frozen=True)
class Advice:
    """``to_gib`` is set for expand and migrate; ``cost`` is what that costs more per month in US dollars, if known."""

    step: Step
    reason: str
    to_gib: int | None = None
    cost: Decimal | None = None


def advise(volume: Volume, now: datetime) -> Advice:
    """Pure: the same volume at the same time gives the same advice."""
    trouble, rules = look_for_trouble(volume), storage_rules()
    if trouble is None:
        return Advice(Step.LEAVE, why_no_trouble(volume))
    if obstacle := _why_wait(volume, now, rules):
        return Advice(Step.LEAVE, obstacle)
    if better := _why_clean_up(volume, trouble, rules):
        return Advice(Step.CLEAN_UP, better)
    wanted = wanted_gib(volume, trouble.days, rules)
    cost = monthly_cost(volume.claim.storage_class, wanted - claimed_gib(volume), rules)
    if obstacle := _why_not_expandable(volume, wanted, rules):
        return Advice(Step.MIGRATE, obstacle, wanted, cost)
    return Advice(Step.EXPAND, _why_this_size(volume, trouble, wanted, rules), wanted, cost)


def why_no_trouble(volume: Volume) -> str:
    """For people who see 90 % and wonder."""
    if volume.claim.read_only:
        return f"{volume.used_share:.0%} used, and nobody can write to it (ReadOnlyMany)"
    told = volume.past.forecast(volume.usable, storage_rules().horizon_days * DAY)
    share = f"{volume.used_share:.0%} used"
    if told is None:
        return f"{share}; too young for a forecast"
    if told.days_to_full[1] is None:
        days = volume.past.length / DAY
        return f"{share}, and it has not grown towards full in {days:.0f} days"
    return f"{share}, full in about {told.days_to_full[1]:.0f} days at the pace of the past"


def claimed_gib(volume: Volume) -> int:
    """What the claim asks for now, in whole GiB."""
    return math.floor(max(volume.claim.requested, volume.claim.capacity) / GIB)


def wanted_gib(volume: Volume, days: float | None, rules: StorageRules) -> int:
    """Room for the growth of the runway, at least one step more, at most the allowed multiple; whole GiB.

    ``days`` until it is full at the present pace, None where it does not grow.
    """
    present = max(volume.claim.requested, volume.claim.capacity, volume.capacity)
    growth = volume.available / days * rules.runway_days if days else 0.0
    for_growth = (volume.used + growth) / (rules.target_used_percent / 100)
    wanted = max(present * (1 + rules.step_percent / 100), for_growth)
    return math.ceil(min(wanted, present * rules.most_times) / GIB)


def monthly_cost(storage_class: StorageClass, more_gib: int, rules: StorageRules) -> Decimal | None:
    """US dollars a month for so many GiB more, or None where the price is not known."""
    for price in rules.prices:
        if price.provisioner == storage_class.provisioner and price.type in ("", storage_class.type):
            return (price.usd_per_gib_month * more_gib).quantize(Decimal("0.01"))
    return None


def _why_wait(volume: Volume, now: datetime, rules: StorageRules) -> str:
    claim = volume.claim
    if claim.phase != "Bound":
        return f"the claim is {claim.phase or 'in no phase'}, so nothing can be done to its volume"
    if claim.resizing:
        return f"an enlargement is under way: {claim.resizing}"
    if volume.fit is Fit.SMALLER:
        have, claimed = volume.capacity / GIB, max(claim.requested, claim.capacity) / GIB
        return f"the file system has {have:.1f} of {claimed:.1f} GiB: it was not enlarged yet, or figures are stale"
    if volume.enlarged_at is not None:
        ends = volume.enlarged_at + timedelta(hours=rules.cooldown_hours)
        if ends > now:
            return f"it was enlarged at {minute(volume.enlarged_at)}; nothing more before {minute(ends)}"
    return ""


def _why_clean_up(volume: Volume, trouble: Trouble, rules: StorageRules) -> str:
    if volume.fit is Fit.LARGER:
        have = volume.capacity / GIB
        return f"the file system of {have:.0f} GiB is shared with others, so a larger claim would give no room"
    if trouble.inodes_only and volume.used_share * 100 < rules.inodes_bytes_percent:
        return f"files run out, not bytes ({volume.used_share:.0%} used): delete old small files"
    habit = read_habit(volume)
    if habit is None or not habit.overdue:
        return ""
    return (
        f"the last clean-up was {habit.pause:.0f} days ago, and there never were more than "
        f"{habit.longest:.0f} between two: see why it did not run"
    )


def _why_not_expandable(volume: Volume, wanted: int, rules: StorageRules) -> str:
    kind = volume.claim.storage_class
    if not kind.expandable:
        named = f"the class {kind.name}" if kind.name else "its class"
        return f"{named} does not allow enlarging: make a volume of {wanted} GiB and move the data"
    if wanted > rules.maximum_gib:
        return f"{wanted} GiB are beyond the allowed {rules.maximum_gib}: split the data, or move it to other storage"
    return ""


def _why_this_size(volume: Volume, trouble: Trouble, wanted: int, rules: StorageRules) -> str:
    present = claimed_gib(volume)
    if wanted >= math.floor(present * rules.most_times):
        return f"{trouble.sentence}; {wanted} GiB is the most that is added at once"
    return f"{trouble.sentence}; {wanted} GiB leave room for about {rules.runway_days} days"
