"""Structured logs to standard error, JSON or console, with secrets taken out of every value."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any, Literal

import structlog
from structlog.typing import EventDict, Processor

from opscrew.clock import utc_now
from opscrew.reading_time import timestamp
from opscrew.redaction import MASK, redact

DEEPEST = 6
"""Levels of nesting that are looked into; what lies deeper is shown as text. Also ends values that hold themselves."""

# A value under such a name is masked whatever it looks like. Names that only count or list ("tokens_per_second",
# "token_count") are not meant: the word has to stand at the end.
_NAMES_A_SECRET = re.compile(r"(?i)(?:^|[^a-z])(?:password|passwd|secret|token|api_?key|authorization|cookie)$")

# Structlog's own entries, which its formatter takes out again.
_RENDERED_LATER = frozenset({"_record", "_from_structlog", "exc_info"})


def configure(log_format: Literal["console", "json"], level: str) -> None:
    """Sets up structlog and sends the standard library's records the same way. Called once, from ``main.py``."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        _timestamped,
        structlog.processors.format_exc_info,
        without_secrets,
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.stdlib.LoggerFactory(),
        # Not cached: whoever configures logs later, as a test that reads them does, must reach every logger.
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # At INFO the first two name every URL they call, query string included; Alembic tells of each step, and APScheduler
    # of each timer that it sets.
    for noisy in ("httpx", "httpcore", "alembic", "apscheduler", "mcp"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _timestamped(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """People read logs too: in the zone that everything else is told in, with the offset for programs."""
    event["timestamp"] = timestamp(utc_now())
    return event


def without_secrets(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Redacts every value in the event, nested ones included, and masks values by name where the name says secret."""
    return {key: _clean(key, value, 0) for key, value in event.items()}


def _clean(name: Any, value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool | int | float) or str(name) in _RENDERED_LATER:
        return value
    if _NAMES_A_SECRET.search(str(name)):
        return MASK
    if isinstance(value, dict) and depth < DEEPEST:
        return {_text(key): _clean(key, inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset) and depth < DEEPEST:
        return [_clean(name, inner, depth + 1) for inner in value]
    # Anything else (an exception, a URL object, bytes) would be turned into text by the renderer, after this point.
    return _text(value)


def _text(value: Any) -> str:
    try:
        text = value.decode("utf-8", "replace") if isinstance(value, bytes | bytearray) else str(value)
    except Exception as problem:  # noqa: BLE001  a value that cannot be shown must not lose the rest of the line
        text = f"<{type(value).__name__} that cannot be shown: {type(problem).__name__}>"
    return redact(text)
