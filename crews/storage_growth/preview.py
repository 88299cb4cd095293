"""What `crew storage check` shows: the same look and judgement as the crew's, without writing anything down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from crews.runtime.systems import Systems
from crews.runtime.volumes import VolumeFacts
from crews.storage_growth.job import Judged, enlarged_at, judge, look
from opscrew.actions.execution import Execution
from opscrew.actions.uptime import machine_uptime
from opscrew.clock import Clock, utc_now
from opscrew.errors import CrewError, NotFoundError, UsageError
from opscrew.metrics import Metrics
from opscrew.settings import Settings
from opscrew.storage.coverage import Unmeasured
from opscrew.storage.rules import storage_rules
from opscrew.storage.volume import DAY
from tools.errors import UpstreamError


@dataclass(frozen=True)
class StorageCheck:
    """One cluster. ``judged`` is ordered, the fullest first."""

    cluster: str
    judged: tuple[Judged, ...]
    unmeasured: tuple[Unmeasured, ...]
    partial: bool
    problem: UpstreamError | CrewError | None = None
    """Why it could not be looked at; everything else is empty then."""


def check_storage(
    settings: Settings, engine: Engine, cluster: str = "", clock: Clock = utc_now
) -> Iterator[StorageCheck]:
    """Each configured cluster, or the named one. ``NotFoundError`` where there is none of that name."""
    if not settings.kubernetes:
        hint = "Name one in crew.yaml (kubernetes: [{name: prod, kubeconfig: ~/.kube/config}])."
        raise UsageError("no Kubernetes cluster is configured", hint)
    parts = [part for part in settings.kubernetes if not cluster or cluster in (part.name, part.context)]
    if not parts:
        known = ", ".join(part.name for part in settings.kubernetes)
        raise NotFoundError(f"there is no cluster or context {cluster!r}", f"Configured clusters: {known}.")
    enlarged = enlarged_at(Execution(engine, settings, clock, machine_uptime))
    with Systems(settings, clock, Metrics()) as systems:
        for part in parts:
            try:
                facts = look(systems, part, enlarged)
            except (UpstreamError, CrewError) as problem:
                yield StorageCheck(part.name, (), (), partial=False, problem=problem)
                continue
            judged = judge(facts.volumes, clock())
            yield StorageCheck(part.name, tuple(judged), _worth_telling(facts), facts.partial)


def _worth_telling(facts: VolumeFacts) -> tuple[Unmeasured, ...]:
    return tuple(one for one in facts.unmeasured if not one.is_expected)


def status_word(judged: Judged) -> str:
    """FULL, FILLS, FILES (inodes run out) or ok, padded to the same length."""
    words = {"VOLUME_FULL": "FULL", "VOLUME_FILLING": "FILLS", "VOLUME_INODES_FILLING": "FILES"}
    return f"{words.get(judged.trouble.code, 'FILLS') if judged.trouble else 'ok':5}"


def as_row(cluster: str, judged: Judged) -> dict[str, Any]:
    """Plain JSON values; sizes in bytes, the cost in US dollars a month as text, since it is exact."""
    volume, trouble, advice = judged.volume, judged.trouble, judged.advice
    claim = volume.claim
    told = trouble.forecast if trouble else volume.past.forecast(volume.usable, storage_rules().horizon_days * DAY)
    return {
        "cluster": cluster,
        "namespace": claim.namespace,
        "name": claim.name,
        "workload": claim.workload,
        "storage_class": claim.storage_class.name,
        "expandable": claim.storage_class.expandable,
        "resizing": claim.resizing,
        "status": trouble.code if trouble else "ok",
        "requested_bytes": int(claim.requested),
        "capacity_bytes": int(volume.capacity),
        "used_bytes": int(volume.used),
        "available_bytes": int(volume.available),
        "figures_fit_the_claim": volume.fit.value,
        "inodes": int(volume.inodes),
        "inodes_used": int(volume.inodes_used),
        "probability": told.probability if told else None,
        "days_to_full": list(told.days_to_full) if told else None,
        "advice": advice.step.value,
        "to_gib": advice.to_gib,
        "cost_usd_per_month": str(advice.cost) if advice.cost is not None else None,
        "reason": advice.reason,
    }
