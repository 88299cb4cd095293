"""What happened that people may want to know, and which channel wants it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from opscrew.model.finding import Severity
from opscrew.settings_notify import ChannelSettings

FAILING = "NOTIFY_FAILING"


class What(StrEnum):
    """In the order in which they matter to a reader."""

    WORSE = "worse"  # was known, and is more severe now
    NEW = "new"  # there for the first time, or again
    OVERDUE = "overdue"  # open for too long; told once
    FLAPPING = "flapping"  # comes and goes; told once, when it begins
    WAITING = "waiting"  # an action that a person must decide
    FAILED = "failed"  # an action that had no effect
    EXPIRED = "expired"  # an action that nobody decided in time
    SUCCEEDED = "succeeded"  # an action that worked
    FIXED = "fixed"  # a finding that is over
    START = "start"  # the first message of a channel
    DIGEST = "digest"  # the daily one

    @property
    def rank(self) -> int:
        return list(What).index(self)


OPENING = (What.NEW, What.WORSE, What.OVERDUE, What.FLAPPING)
"""What tells that something is wrong, so that its end is worth telling."""


@dataclass(frozen=True)
class Event:
    """``key`` names it so that it is told once. ``about`` is the finding's fingerprint or the action's id; ``facts``
    hold the words for ``wording.yaml``: title, subject, cause, next_step, id, url, age. ``started_at`` is when the
    finding began."""

    key: str
    about: str
    what: What
    kind: str
    severity: Severity
    code: str
    scope: str
    happened_at: datetime
    facts: Mapping[str, Any]
    started_at: datetime | None = None
    channel: str = ""
    """Where it tells that a channel fails: that channel's name."""


def is_wanted(event: Event, channel: ChannelSettings) -> bool:
    """Whether the channel wants to hear of it at all. Actions have neither a code nor a grade: all are told."""
    if event.kind not in channel.kinds or event.channel == channel.name:
        return False
    if event.kind != "actions":
        if event.severity.rank < Severity(channel.severity).rank:
            return False
        if not any(fnmatchcase(event.code, pattern) for pattern in channel.codes):
            return False
    return any(fnmatchcase(event.scope, pattern) for pattern in channel.scopes)
