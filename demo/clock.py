"""Time for the sandboxes: the machine's own, or one that runs faster, so that an hour fits into a minute."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class FastClock:
    """Starts at ``start`` (default: now) and runs ``speed`` times as fast as the machine's clock. Call it for the time.

    ``forward()`` jumps ahead at once; ``speed=0`` stands still except for such jumps.
    """

    def __init__(self, start: datetime | None = None, speed: float = 1.0) -> None:
        self._start = start or datetime.now(UTC)
        self._speed = speed
        self._began = time.monotonic()

    def __call__(self) -> datetime:
        return self._start + timedelta(seconds=(time.monotonic() - self._began) * self._speed)

    def forward(self, **amount: float) -> None:
        """``forward(minutes=5)``"""
        self._start += timedelta(**amount)
