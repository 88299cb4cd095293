"""Keeps strangers from filling the log: a warning that a bad request leads to is given once a minute, with a count."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

SAID_AGAIN_AFTER = 60.0
"""Seconds."""
LOGGERS = (
    "uvicorn.error",
    "server.http.bodies",
    "server.http.webhooks",
    "server.http.alert_webhooks",
    "mcp.server.streamable_http_manager",
)
"""Those that speak because of a request. Errors are our own faults, and are always told."""


class OncePerMinute(logging.Filter):
    """Lets a warning through when it was not said within the last minute. Its texts are few: they are our own."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._said: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno >= logging.ERROR:
            return True
        event = record.msg if isinstance(record.msg, dict) else {}
        said = str(event.get("event", record.msg))
        at, unsaid = self._said.get(said, (float("-inf"), 0))
        if self._clock() - at < SAID_AGAIN_AFTER:
            self._said[said] = (at, unsaid + 1)
            return False
        self._said[said] = (self._clock(), 0)
        if unsaid and event:
            event["unsaid_before"] = unsaid
        return True


def quiet_repeats() -> None:
    """Adds the filter once to each logger that callers can make speak."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(one, OncePerMinute) for one in logger.filters):
            logger.addFilter(OncePerMinute())
