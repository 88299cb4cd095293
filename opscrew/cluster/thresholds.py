"""Loads ``thresholds.yaml``: one frozen value object, so that a check names what it compares with."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from opscrew.strict_yaml import read_strictly

THRESHOLDS_FILE = Path(__file__).with_name("thresholds.yaml")


class BadThresholdsError(ValueError):
    """``thresholds.yaml`` was edited wrongly; the message names the key."""


@dataclass(frozen=True)
class Thresholds:
    """See ``thresholds.yaml`` for the meaning and the unit of each."""

    pod_start_seconds: int
    pod_unschedulable_seconds: int
    pod_not_ready_seconds: int
    terminating_seconds: int
    finalizer_seconds: int
    rollout_seconds: int
    claim_bind_seconds: int
    address_seconds: int
    settle_seconds: int
    custom_progress_seconds: int
    custom_unclear_seconds: int
    missed_schedule_seconds: int
    blocked_schedule_seconds: int
    restart_burst: int
    restart_window_seconds: int
    probe_kills: int
    oom_window_seconds: int
    event_window_seconds: int
    event_silence_seconds: int
    on_failure_retries: int
    quota_warning_percent: int
    certificate_warning_days: int
    certificate_critical_days: int
    throttled_warning_percent: int
    throttled_critical_percent: int
    throttled_fewest_periods: int
    config_map_warning_bytes: int


def parse_thresholds(values: dict[str, Any]) -> Thresholds:
    """Every key exactly once, each a whole number of at least 1. Raises ``BadThresholdsError``."""
    known = {field.name for field in fields(Thresholds)}
    if wrong := sorted(known.symmetric_difference(values)):
        raise BadThresholdsError(f"thresholds.yaml: {wrong[0]} is missing or unknown")
    for name, value in values.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise BadThresholdsError(f"thresholds.yaml: {name} must be a whole number of at least 1")
    return Thresholds(**values)


@cache
def thresholds() -> Thresholds:
    """The shipped thresholds."""
    return parse_thresholds(read_strictly(THRESHOLDS_FILE)[0])


def seconds(amount: int) -> timedelta:
    """Shorter spelling for comparisons with an age."""
    return timedelta(seconds=amount)
