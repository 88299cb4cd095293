"""What the code that talks to an outside system must offer so that an action is done at most once.

One implementation per action kind lives in ``crews/actions/``. This module owns the contract alone: it is the
seam between permission and proof (here, no network) and the systems themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from opscrew.model.action import Action


@dataclass(frozen=True)
class Receipt:
    """The system's own name for what it did: a pipeline's UUID, a workload's revision. ``detail`` is for people."""

    external_id: str
    url: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Outcome:
    """How it ended, in one sentence for people."""

    succeeded: bool
    text: str


class SendRefusedError(Exception):
    """The system answered, and it is certain that it did nothing (a 4xx). The action ends as failed."""


class NotYetError(Exception):
    """Nothing speaks against it, but this is a bad moment, as the message says. It is asked again until it expires."""


class Executor(Protocol):
    """Does one kind of action in one system.

    Every method may raise ``UpstreamError`` when the system does not answer. From ``send`` that means "it may or
    may not have arrived" unless it says otherwise, and the question is settled by ``find_sent`` later, never by sending
    again blindly.
    """

    kind: str
    """The kind's name in ``catalog.yaml``."""

    def precondition(self, action: Action) -> str | None:
        """Why this must not be done, as a sentence for people; ``None`` when nothing speaks against it.

        An answer ends the action; ``NotYetError`` leaves it approved, for a later moment.
        """

    def send(self, action: Action) -> Receipt:
        """Does it, with one mutating request and no retry of its own.

        The request's timeout must stay well below ``Timing.lease`` (two minutes). Where it is certain that nothing was
        done: ``SendRefusedError`` for good, a ``TemporaryError`` that is ``not_accepted`` for now.
        """

    def find_sent(self, action: Action, since: datetime) -> Receipt | None:
        """What an earlier ``send`` of this very action brought about, or ``None`` when it never arrived.

        Asked after a crash or a lost answer. ``since`` is deliberately about an hour too early, because the two
        clocks may differ: an implementation must tell the effect of this action from what was there before it by
        identity (a pipeline number above the target's, an annotation with the idempotency key), not by time. When
        several fit, the oldest is ours. ``None`` says that everything was looked through and it is not there yet:
        asked several times over a while (``Timing``), it counts as never arrived. If the answer is not certain, raise
        ``TemporaryError``.
        """

    def outcome(self, action: Action, receipt: Receipt) -> Outcome | None:
        """How it ended, or ``None`` while it still runs."""
