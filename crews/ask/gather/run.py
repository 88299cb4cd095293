"""Asks all collectors of a question at once, and waits for none of them longer than a person waits."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from functools import partial

import structlog

from crews.ask.gather.collector import Collector, Gathered, Request
from crews.runtime.background import in_background
from opscrew.answer.packet import Fact
from opscrew.errors import CrewError
from opscrew.store.text import storable
from tools.errors import UpstreamError

log = structlog.get_logger(__name__)

DEADLINE_SECONDS = 3.2
"""For all sources together. With names to be looked up first, an answer's facts still come within five seconds."""


def gather(request: Request, collectors: Sequence[Collector]) -> Gathered:
    """Facts of all that answered in time."""
    gathered = Gathered()
    asked: list[tuple[Collector, Future[Sequence[Fact]]]] = []
    for collector in collectors:
        if not collector.is_configured(request.context):
            gathered.unavailable.append(f"{collector.system} (not configured)")
            continue
        asked.append((collector, in_background(collector.name, partial(collector.collect, request))))
    ends = time.monotonic() + DEADLINE_SECONDS
    for collector, answer in asked:
        try:
            gathered.take(collector.looks_at, answer.result(max(0.0, ends - time.monotonic())))
        except FutureTimeout:
            gathered.unavailable.append(f"{collector.system} (no answer within {DEADLINE_SECONDS:.1f} s)")
        except (UpstreamError, CrewError) as problem:
            gathered.unavailable.append(storable(f"{collector.system} ({problem})"))
        except Exception as problem:  # noqa: BLE001  one source's error must not cost the others' facts
            log.warning("collector_failed", collector=collector.name, error=str(problem))
            gathered.unavailable.append(f"{collector.system} (unexpected {type(problem).__name__})")
    gathered.unavailable = list(dict.fromkeys(gathered.unavailable))
    return gathered
