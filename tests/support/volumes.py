"""Volumes for the tests of storage: small numbers, in GiB and days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from opscrew.storage.volume import GIB, Claim, Past, StorageClass, Volume

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
EXPANDABLE = StorageClass("fast", "pd.csi.storage.gke.io", "pd-ssd", expandable=True)
CLAIM = Claim(
    cluster="prod",
    namespace="shop",
    name="data-db-0",
    uid="u1",
    requested=100 * GIB,
    capacity=100 * GIB,
    workload="StatefulSet/db",
    storage_class=EXPANDABLE,
)


def claim(**changes: Any) -> Claim:
    return replace(CLAIM, **changes)


def volume(gib_a_day: Sequence[float], *, size: float = 100, of: Claim = CLAIM, **changes: Any) -> Volume:
    """A file system of ``size`` GiB whose daily peaks were these; the last one is the present."""
    values = tuple(value * GIB for value in gib_a_day)
    used = values[-1]
    made = Volume(claim=of, capacity=size * GIB, used=used, available=size * GIB - used, past=Past(values))
    return replace(made, **changes)


def growing(to: float, a_day: float, days: int = 60) -> list[float]:
    """A straight line that ends at ``to``."""
    return [max(0.0, to - a_day * (days - 1 - day)) for day in range(days)]
