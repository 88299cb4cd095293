"""How many requests are left in this hour: Bitbucket's word where it gives one, our own count always.

Bitbucket counts a rolling hour per account (1,000 requests on the smaller plans) and tells little about it: often
only the limit and a flag when less than a fifth is left. Our own ceiling lies below, so that people who use the same
account still get answers, and it is never exceeded: a request beyond it is refused here and never sent.
"""

from __future__ import annotations

import email.utils
import math
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from tools.errors import TemporaryError

SYSTEM = "bitbucket"
WINDOW = timedelta(hours=1)
NEAR_LIMIT_SHARE = 0.2
"""X-RateLimit-NearLimit turns true when less than 20 % is left, says Atlassian's page on API request limits."""
UNNAMED_PAUSE_SECONDS = 60.0
"""How long to stay silent after a 429 that names no time: with a rolling hour, a minute frees a sixtieth of it."""


@dataclass(frozen=True)
class RequestBudget:
    """``limit`` and ``remaining`` are the tighter of Bitbucket's and ours; ``resets_at`` is None where unknown."""

    limit: int
    remaining: int
    resets_at: datetime | None


@dataclass(frozen=True)
class _Told:
    """The last thing that Bitbucket's headers said, and when."""

    at: datetime
    limit: int | None
    remaining: int | None
    resets_at: datetime | None


class BudgetKeeper:
    """Counts what is sent and remembers what Bitbucket says about it. Safe to share between threads."""

    def __init__(self, ceiling: int, clock: Callable[[], datetime]) -> None:
        self._ceiling = ceiling
        self._clock = clock
        self._sent: deque[datetime] = deque()
        self._told: _Told | None = None
        self._silent_until: datetime | None = None
        self._lock = threading.Lock()

    def take(self, url: str) -> None:
        """Counts one request that is about to be sent, or raises ``TemporaryError`` with the time to wait."""
        with self._lock:
            now = self._now()
            if self._silent_until is not None and now < self._silent_until:
                raise self._refusal("Bitbucket asked for silence (429)", url, now, self._silent_until)
            if len(self._sent) >= self._ceiling:
                free_at = self._sent[-self._ceiling] + WINDOW
                raise self._refusal(f"the ceiling of {self._ceiling} requests an hour is reached", url, now, free_at)
            self._sent.append(now)

    def learn(self, headers: Mapping[str, str]) -> None:
        """Takes note of the rate-limit headers of an answer; answers without any change nothing."""
        with self._lock:
            now = self._now()
            told = _read(headers, now)
            if told is not None:
                self._told = told

    def limited(self, retry_after: float | None) -> float:
        """Bitbucket said 429: nothing is sent until that time has passed. Returns the pause in seconds."""
        pause = UNNAMED_PAUSE_SECONDS if retry_after is None else retry_after
        with self._lock:
            self._silent_until = self._now() + timedelta(seconds=pause)
        return pause

    def current(self) -> RequestBudget:
        """What is left now."""
        with self._lock:
            now = self._now()
            limit, remaining = self._ceiling, self._ceiling - len(self._sent)
            resets_at = self._sent[0] + WINDOW if self._sent else None
            told = self._told
            if told is not None and told.limit is not None and told.limit < limit:
                # Bitbucket allows less than we were set to: what is left is left of that.
                limit, remaining = told.limit, told.limit - len(self._sent)
            if told is not None and told.remaining is not None and _still_holds(told, now):
                since = sum(1 for sent in self._sent if sent > told.at)
                if told.remaining - since < remaining:
                    remaining, resets_at = told.remaining - since, told.resets_at
            if self._silent_until is not None and now < self._silent_until:
                remaining, resets_at = 0, self._silent_until
            return RequestBudget(limit, max(0, remaining), resets_at)

    def _now(self) -> datetime:
        """The time, with everything older than the window forgotten."""
        now = self._clock()
        if self._sent and self._sent[-1] > now:
            # The clock went back. What was sent counts from now on: too careful for an hour, and never too free.
            self._sent = deque([now] * len(self._sent))
            if self._told is not None:
                self._told = replace(self._told, at=min(self._told.at, now))
        while self._sent and self._sent[0] <= now - WINDOW:
            self._sent.popleft()
        return now

    @staticmethod
    def _refusal(why: str, url: str, now: datetime, until: datetime) -> TemporaryError:
        wait = max(1.0, (until - now).total_seconds())
        return TemporaryError(
            f"{why}; next request in {math.ceil(wait / 60)} min",
            system=SYSTEM,
            url=url,
            hint="Wait, watch fewer repositories, or set up webhooks so that less is polled.",
            retry_after=wait,
            not_accepted=True,
        )


def _still_holds(told: _Told, now: datetime) -> bool:
    end = told.resets_at or told.at + WINDOW
    return now < end


def _read(headers: Mapping[str, str], now: datetime) -> _Told | None:
    limit = _whole(headers.get("X-RateLimit-Limit"))
    remaining = _whole(headers.get("X-RateLimit-Remaining"))
    near = headers.get("X-RateLimit-NearLimit", "").strip().lower()
    if near == "true" and remaining is None and limit is not None:
        remaining = int(limit * NEAR_LIMIT_SHARE)
    if limit is None and remaining is None:
        return None
    return _Told(now, limit, remaining, _reset_time(headers.get("X-RateLimit-Reset"), now))


def _whole(text: str | None) -> int | None:
    try:
        # Some proxies join repeated headers with a comma; the first is the server's own.
        return max(0, int(float(text.split(",")[0]))) if text else None
    except (ValueError, OverflowError):
        return None


def _reset_time(text: str | None, now: datetime) -> datetime | None:
    """Seconds from now or since 1970, whichever the number can mean. A time beyond two hours is no rolling hour."""
    number = _whole(text)
    if number is None:
        return None
    try:
        moment = datetime.fromtimestamp(number, UTC) if number > 10_000_000 else now + timedelta(seconds=number)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if now < moment < now + 2 * WINDOW else None


def retry_after_seconds(value: str | None, now: datetime) -> float | None:
    """The Retry-After header, which is a number of seconds or an HTTP date. None where absent or unreadable."""
    if not value:
        return None
    try:
        return max(0.0, min(float(value), WINDOW.total_seconds()))
    except ValueError:
        pass
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return max(0.0, min((moment - now).total_seconds(), WINDOW.total_seconds()))
