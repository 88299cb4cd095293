"""Sends what is due in one channel, and records what came of it.

The row is recorded as about to be sent before the request goes out. What happens after that decides: taken, certainly
not taken (it goes with a later message), or nobody knows (it is never sent again).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

import structlog

from opscrew.clock import Clock
from opscrew.model.finding import Severity
from opscrew.notify.outbox import Outbox, OutboxRow
from opscrew.notify.times import has_digest, is_held, is_quiet
from opscrew.notify.wording import Text, compose, uncertain_before
from opscrew.redaction import redact
from opscrew.settings_notify import ChannelSettings, NotifySettings
from tools.errors import PermanentError, TemporaryError
from tools.notify.target import Message, MessageRefusedError, Target, Tone

log = structlog.get_logger(__name__)

TONES: dict[Severity, Tone] = {Severity.INFO: "info", Severity.WARNING: "warning", Severity.CRITICAL: "failure"}

Checkpoint = Callable[[str], None]


def open_target(settings: NotifySettings, channel: ChannelSettings) -> Target:
    """Raises ``PermanentError`` where there is no address, or none that can be used."""
    url = settings.url_of(channel)
    if not url:
        hint = "Name the file that holds it as url_file, or set CREW_NOTIFY__URLS."
        raise PermanentError(settings.problem_of(channel), system="notify", url=channel.name, hint=hint)
    return Target(channel.name, url, channel.timeout_seconds)


def message_of(text: Text) -> Message:
    """As a channel takes it."""
    return Message(text.title, text.lines, "success" if text.good else TONES[text.severity])


class Sending:
    """One channel. ``checkpoint`` is told of each step, for tests that end the process there."""

    def __init__(
        self,
        outbox: Outbox,
        settings: NotifySettings,
        channel: ChannelSettings,
        zone: ZoneInfo,
        checkpoint: Checkpoint = lambda step: None,
    ) -> None:
        self._outbox, self._settings, self._channel, self._zone = outbox, settings, channel, zone
        self._checkpoint = checkpoint

    def send_due(self, clock: Clock) -> str:
        """Sends at most one message. Returns what came of it: ``sent``, ``failed``, ``uncertain``, ``refused`` or
        nothing."""
        now = clock()
        self._outbox.hold_back(self._channel.name, partial(self._is_held, now=now))
        with_held = not has_digest(self._channel) and not is_quiet(self._channel, now, self._zone)
        batch = self._outbox.claim(self._channel.name, with_held=with_held)
        if not batch:
            return ""
        self._checkpoint("claimed")
        text = compose([row.told for row in batch], self._doubt(batch))
        try:
            target = open_target(self._settings, self._channel)
            target.send(message_of(text))
            self._checkpoint("sent")
        except MessageRefusedError as problem:
            self._outbox.refused(batch, problem.message)
            return self._noted("refused", problem)
        except PermanentError as problem:
            self._outbox.put_back(batch, problem.message, permanent=True)
            return self._noted("failed", problem)
        except TemporaryError as problem:
            if problem.not_accepted:
                self._outbox.put_back(batch, problem.message, retry_after=problem.retry_after)
                return self._noted("failed", problem)
            self._outbox.uncertain(batch, problem.message)
            return self._noted("uncertain", problem)
        self._outbox.sent(batch)
        return "sent"

    def _doubt(self, batch: tuple[OutboxRow, ...]) -> str:
        """A sentence about the message before, if nobody knows whether it arrived."""
        earlier = [row for row in self._outbox.doubtful(self._channel.name) if row.message != batch[0].message]
        if not earlier:
            return ""
        return uncertain_before(compose([row.told for row in earlier]).title, earlier[0].changed_at)

    def _is_held(self, severity: Severity, now: datetime) -> bool:
        return is_held(self._channel, severity, now, self._zone)

    def _noted(self, outcome: str, problem: PermanentError | TemporaryError) -> str:
        log.warning("message not delivered", channel=self._channel.name, outcome=outcome, reason=redact(str(problem)))
        return outcome
