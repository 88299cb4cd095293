"""Is a volume a problem, and how grave? Judged by the forecast, not by a share: a flat 90 % is none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from opscrew.findings.codes import finding
from opscrew.model.evidence import Evidence
from opscrew.model.finding import Finding, Severity
from opscrew.storage.forecast import Forecast
from opscrew.storage.rules import storage_rules
from opscrew.storage.teeth import is_usual_tooth
from opscrew.storage.volume import DAY, GIB, Volume

CODES = ("VOLUME_FULL", "VOLUME_FILLING", "VOLUME_INODES_FILLING")
"""Every code of this judgement, the gravest first."""


@dataclass(frozen=True)
class Trouble:
    """``code`` is a finding code. ``forecast`` is None where the volume is too young. ``days`` to full, most likely;
    None where nobody can say."""

    code: str
    sentence: str
    forecast: Forecast | None
    critical: bool
    days: float | None = None

    @property
    def inodes_only(self) -> bool:
        return self.code == "VOLUME_INODES_FILLING"


def look_for_trouble(volume: Volume) -> Trouble | None:
    """The gravest thing that is wrong: bytes before inodes, since bytes are what an enlargement buys. Never of a volume
    that nobody can write to: an image of data is full by nature."""
    if volume.claim.read_only:
        return None
    return _bytes_trouble(volume) or _inodes_trouble(volume)


def finding_of(volume: Volume, trouble: Trouble, now: datetime, *, advice: str, next_step: str) -> Finding:
    """``advice`` is the machine's word, ``next_step`` the sentence for people."""
    told = trouble.forecast
    line = f"{_gib(volume.used)} of {_gib(volume.usable)} GiB used"
    if volume.inodes:
        line += f", {volume.inodes_share:.0%} of the inodes"
    severity = Severity.CRITICAL if trouble.critical else None
    return finding(
        trouble.code,
        volume.claim.subject,
        trouble.sentence[0].upper() + trouble.sentence[1:] + ".",
        severity=severity,
        next_step=next_step,
        evidence=[Evidence(source="victoriametrics kubelet_volume_stats", text=line, observed_at=now)],
        details={
            "namespace": volume.claim.namespace,
            "workload": volume.claim.workload,
            "used_bytes": int(volume.used),
            "usable_bytes": int(volume.usable),
            "probability": told.probability if told else None,
            "days_to_full": list(told.days_to_full) if told else None,
            "advice": advice,
        },
    )


def _bytes_trouble(volume: Volume) -> Trouble | None:
    rules = storage_rules()
    if volume.usable <= 0:
        return None
    told = volume.past.forecast(volume.usable, rules.horizon_days * DAY)
    free_share = 100 * (1 - volume.used_share)
    plenty = volume.available / GIB >= rules.full_free_gib
    if free_share < rules.full_free_percent and not (plenty and told is not None and not told.fills):
        sentence = f"{free_share:.1f} % are free, {_gib(volume.available)} GiB"
        return Trouble("VOLUME_FULL", sentence, told, True, _likely(told))
    if told is None:
        if volume.used_share * 100 < rules.young_used_percent:
            return None
        sentence = f"{volume.used_share:.0%} are used, and there is too little past for a forecast"
        return Trouble("VOLUME_FILLING", sentence, None, critical=False)
    if told.fills and is_usual_tooth(volume):
        return None
    if told.fills:
        return Trouble("VOLUME_FILLING", _when("the volume", told), told, _is_critical(told), _likely(told))
    days = _sprint(volume)
    if days is None:
        return None
    sentence = f"it is fuller than ever, and full in {days:.1f} days at the pace of the last day"
    return Trouble("VOLUME_FILLING", sentence, told, True, days)


def _inodes_trouble(volume: Volume) -> Trouble | None:
    rules = storage_rules()
    if volume.inodes <= 0:
        return None
    told = volume.inodes_past.forecast(volume.inodes, rules.horizon_days * DAY)
    free_share = 100 * (1 - volume.inodes_share)
    if free_share < rules.full_free_percent:
        sentence = f"{free_share:.1f} % of the inodes are free, {volume.inodes - volume.inodes_used:.0f}"
        return Trouble("VOLUME_INODES_FILLING", sentence, told, True, _likely(told))
    if told is None or not told.fills:
        return None
    sentence = _when("the table of inodes", told)
    return Trouble("VOLUME_INODES_FILLING", sentence, told, _is_critical(told), _likely(told))


def _sprint(volume: Volume) -> float | None:
    """Days to full of a volume that has begun to race after a quiet past, which a forecast from that past cannot see.

    Only beyond its highest use so far: the rising side of a saw-tooth is known ground.
    """
    rules, past = storage_rules(), volume.past
    day = max(1, round(DAY / past.step))
    if len(past.values) <= day or 100 * (1 - volume.used_share) >= rules.sprint_free_percent:
        return None
    grown = past.values[-1] - past.values[-1 - day]
    known_ground = max(past.values[:-day]) * (1 + rules.sprint_above_percent / 100)
    if grown <= 0 or past.values[-1] <= known_ground or volume.available / grown > rules.critical_days:
        return None
    return volume.available / grown


def _likely(told: Forecast | None) -> float | None:
    """The middle of the forecast's days, else the early end."""
    return (told.days_to_full[1] or told.days_to_full[0]) if told else None


def _is_critical(told: Forecast) -> bool:
    middle = told.days_to_full[1]
    return middle is not None and middle <= storage_rules().critical_days


def _when(what: str, told: Forecast) -> str:
    early, middle, late = told.days_to_full
    horizon = storage_rules().horizon_days
    chance = f"{what} will be full within {horizon} days with a probability of {told.probability:.0%}"
    if early is None:
        return chance
    until = f"{late:.0f}" if late is not None else "never"
    usual = f", most likely {middle:.0f}" if middle is not None else ""
    return f"{chance} (in {early:.0f} days at the earliest{usual}, {until} at the latest)"


def _gib(size: float) -> str:
    return f"{size / GIB:.1f}"
