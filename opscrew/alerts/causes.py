"""Ranks what may be behind a group of alerts: by time, by ownership, and by how often such a thing is the cause.

Plain arithmetic over ``causes.yaml``, so that a person can see why one cause stands above another. The model may
explain and choose among these candidates; it never adds one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from opscrew.alerts.objects import place_of
from opscrew.model.evidence import Evidence
from opscrew.model.subject import Subject
from opscrew.strict_yaml import load_strictly

CAUSES_FILE = Path(__file__).with_name("causes.yaml")


class Ownership(StrEnum):
    """How near a clue is to what the alert is about; the values stand in ``causes.yaml``."""

    SAME = "same"
    NODE = "node"
    NAMESPACE = "namespace"
    CLUSTER = "cluster"
    UNKNOWN = "unknown"


class CauseRules(BaseModel):
    """``causes.yaml`` explains each value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    least: float
    most: int = Field(ge=1)
    within_minutes: float = Field(gt=0)
    slack_minutes: float = Field(ge=0)
    half_minutes: float = Field(gt=0)
    oldest_timing: float = Field(ge=0, le=1)
    ownership: dict[Ownership, float]
    after_change: float = Field(gt=0, le=1)
    change: float
    logs: float
    finding: float
    codes: dict[str, float]
    codes_left_out: frozenset[str]
    repairs: dict[str, str]
    repair_from: float
    silence_minutes: int = Field(ge=5)
    repair_minutes: float = Field(gt=0)

    def weight_of(self, cause: str) -> float:
        """``cause`` is change, logs, or a finding code."""
        named = {"change": self.change, "logs": self.logs}
        return named.get(cause, self.codes.get(cause, self.finding))


@dataclass(frozen=True)
class Clue:
    """Something that was seen and may be a cause. ``cause`` is change, logs or a finding code.

    ``lasting`` clues may have begun long ago. ``facts`` are plain values that a repair needs: ``uid``, ``to_revision``.
    """

    cause: str
    text: str
    began_at: datetime
    subject: Subject | None = None
    lasting: bool = False
    evidence: tuple[Evidence, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Candidate:
    """``score`` is between 0 and 1. ``why`` says in words what speaks for it."""

    clue: Clue
    score: float
    ownership: Ownership
    why: str


@cache
def cause_rules() -> CauseRules:
    """The shipped rules. Raises pydantic's ``ValidationError`` when the file was edited wrongly."""
    return load_strictly(CAUSES_FILE, CauseRules)


def rank(
    clues: Iterable[Clue], began_at: datetime, affected: Iterable[Subject], rules: CauseRules
) -> tuple[Candidate, ...]:
    """The likeliest first, at most ``rules.most``. ``began_at`` is when the alerts began."""
    subjects = tuple(affected)
    found = [candidate for clue in clues if (candidate := _judge(clue, began_at, subjects, rules)) is not None]
    found = [_less_after_change(candidate, found, rules) for candidate in found]
    found.sort(key=lambda one: (-one.score, one.clue.began_at, one.clue.text))
    return tuple(one for one in found if one.score >= rules.least)[: rules.most]


def ownership_of(subject: Subject | None, affected: Iterable[Subject]) -> Ownership:
    """How near ``subject`` is to the nearest of the affected objects."""
    if subject is None:
        return Ownership.UNKNOWN
    order = list(Ownership)
    return min((_nearness(subject, one) for one in affected), key=order.index, default=Ownership.UNKNOWN)


def timing(began_at: datetime, alert_at: datetime, *, lasting: bool, rules: CauseRules) -> float:
    """1 for what began right before the alert, falling with the distance; 0 for what began after it or too early."""
    minutes = (alert_at - began_at).total_seconds() / 60
    if minutes < -rules.slack_minutes:
        return 0.0
    value = 0.5 ** (max(minutes, 0) / rules.half_minutes)
    if lasting:
        return float(max(value, rules.oldest_timing))
    return float(value) if minutes <= rules.within_minutes else 0.0


def _judge(clue: Clue, began_at: datetime, affected: tuple[Subject, ...], rules: CauseRules) -> Candidate | None:
    if clue.cause in rules.codes_left_out:
        return None
    near = ownership_of(clue.subject, affected)
    in_time = timing(clue.began_at, began_at, lasting=clue.lasting, rules=rules)
    score = rules.weight_of(clue.cause) * in_time * rules.ownership[near]
    if score <= 0:
        return None
    minutes = (began_at - clue.began_at).total_seconds() / 60
    when = f"{minutes:.0f} min before" if minutes >= 1 else "at the same time" if minutes > -1 else "right after"
    return Candidate(clue, round(score, 3), near, f"{when}, {_WORDS[near]}")


def _less_after_change(candidate: Candidate, all_: list[Candidate], rules: CauseRules) -> Candidate:
    """A consequence ranks below its cause, although it stands nearer to the alert in time."""
    if candidate.clue.cause == "change" or candidate.ownership is not Ownership.SAME:
        return candidate
    earlier = any(
        one.clue.cause == "change" and one.ownership is Ownership.SAME and one.clue.began_at <= candidate.clue.began_at
        for one in all_
    )
    return replace(candidate, score=round(candidate.score * rules.after_change, 3)) if earlier else candidate


def _nearness(subject: Subject, affected: Subject) -> Ownership:
    if subject.key == affected.key or _is_part(subject, affected) or _is_part(affected, subject):
        return Ownership.SAME
    if subject.kind == "Node" and _cluster(subject) == _cluster(affected):
        # Pods name their node in the labels of most alerts; then the node is among the affected and matched above.
        return Ownership.CLUSTER if affected.kind == "Node" else Ownership.NODE
    if subject.system != affected.system:
        # A pipeline of the repository "web" and the workload "web" share nothing but the name, which is a lot.
        return Ownership.SAME if _same_name(subject, affected) else Ownership.UNKNOWN
    if subject.scope and subject.scope == place_of(affected):
        return Ownership.NAMESPACE
    return Ownership.CLUSTER if _cluster(subject) == _cluster(affected) else Ownership.UNKNOWN


def _is_part(part: Subject, whole: Subject) -> bool:
    """Pods and ReplicaSets are named after their owner, with a dash and a suffix."""
    return (
        part.system == whole.system
        and part.scope == whole.scope
        and part.kind in ("Pod", "ReplicaSet")
        and whole.kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job")
        and part.name.startswith(whole.name + "-")
    )


def _same_name(subject: Subject, affected: Subject) -> bool:
    name = subject.scope.rpartition("/")[2] if subject.system == "bitbucket" else subject.name
    return bool(name) and (affected.name == name or affected.name.startswith(name + "-"))


def _cluster(subject: Subject) -> str:
    return subject.scope.partition("/")[0]


_WORDS = {
    Ownership.SAME: "the same object",
    Ownership.NODE: "a node of the cluster",
    Ownership.NAMESPACE: "the same namespace",
    Ownership.CLUSTER: "the same cluster",
    Ownership.UNKNOWN: "no common name",
}
