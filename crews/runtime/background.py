"""Asks something in a thread of its own, so that whoever asked can stop waiting for it.

The threads are daemons: one that hangs must not keep the program from ending, as those of a pool would.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def in_background(name: str, ask: Callable[[], T]) -> Future[T]:
    """What ``ask`` gives, or raises, is had by ``result(seconds)`` of the future; ``name`` is the thread's."""
    answer: Future[T] = Future()

    def fill() -> None:
        try:
            answer.set_result(ask())
        except Exception as problem:  # noqa: BLE001  handed to the one who waits
            answer.set_exception(problem)

    threading.Thread(target=fill, name=name, daemon=True).start()
    return answer
