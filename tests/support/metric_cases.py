"""What stores really hold, and what a person reads of it: a case is series, a small cluster, and words.

The cases stand in ``tests/crews/data/metrics/``: a list in ``cases.yaml``, larger series in JSON beside it. Each is
told by the product itself: a run of a crew with its findings and proposals, or the answer to a question.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from crews.cluster_health import job as cluster_health
from crews.runtime.context import CrewContext
from crews.storage_growth import job as storage_growth
from opscrew.actions.execution import Execution
from opscrew.findings.ledger import Ledger
from tests.support.asking import ask, crew_at, told
from tests.support.kubernetes_api import Api, kubernetes_api
from tests.support.kubernetes_objects import NOW, ago, pod, ready, thing

FOLDER = Path(__file__).resolve().parents[1] / "crews" / "data" / "metrics"
OWNER = thing("StatefulSet", "db", version="apps/v1", spec={"replicas": 1}, status={"readyReplicas": 1, "replicas": 1})
FAST = thing(
    "StorageClass",
    "fast",
    version="storage.k8s.io/v1",
    namespace="",
    provisioner="ebs.csi.aws.com",
    allowVolumeExpansion=True,
    parameters={"type": "gp3"},
)
Points = list[tuple[datetime, float]]
AT = NOW + timedelta(seconds=137)
"""When it is asked: at no full minute, since stores align times to full steps."""


@dataclass(frozen=True)
class Case:
    """``kind`` is storage, throttling or ask. ``says`` must be read, ``never`` must not. ``clusters`` are parts of the
    settings; ``claim`` says how the claim team/data differs from one of 100 GiB that is 200 days old."""

    name: str
    kind: str
    why: str
    says: Sequence[str] = ()
    never: Sequence[str] = ()
    question: str = ""
    clusters: Sequence[dict[str, Any]] = ({"name": "prod"},)
    claim: dict[str, Any] = field(default_factory=dict)
    series: Sequence[dict[str, Any]] = ()

    def points(self) -> list[tuple[dict[str, str], Points]]:
        """The series with their times."""
        file = FOLDER / f"{self.name}.json"
        rows = json.loads(file.read_text(encoding="utf-8"))["series"] if file.is_file() else self.series
        return [(row["metric"], [(AT + timedelta(seconds=at), value) for at, value in _values(row)]) for row in rows]


def _values(row: dict[str, Any]) -> list[tuple[float, float]]:
    """Either ``values``, or a line: ``from``, ``to`` and ``every`` in seconds, ``value`` at its begin, ``rate``."""
    if "values" in row:
        return [(float(at), float(value)) for at, value in row["values"]]
    begin, end, every = row.get("from", -7200), row.get("to", 0), row.get("every", 30)
    times = [begin + every * step for step in range(int((end - begin) / every) + 1)]
    return [(at, row["value"] + row.get("rate", 0) * (at - begin)) for at in times]


def cases() -> list[Case]:
    """All of them, in the order of the file."""
    rows = yaml.load((FOLDER / "cases.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
    return [Case(name=name, **row) for name, row in rows.items()]


def reads(case: Case, store: str, folder: Path) -> str:
    """Everything that a person reads, where the metrics store at that address holds the case's series."""
    with _cluster(case, folder) as api:
        own = [{"kubeconfig": str(api.kubeconfig(folder)), **one} for one in case.clusters]
        wanted = {} if case.kind == "ask" and not case.clusters else {"kubernetes": own}
        policy = {"expand_pvc": "approve"}
        settings = {"victoriametrics": {"url": store, "timeout_seconds": 60}, "policy": policy, **wanted}
        with crew_at(AT, folder, **settings) as crew:
            if case.kind == "ask":
                return told(ask(crew, case.question))
            run = (storage_growth if case.kind == "storage" else cluster_health).run(crew)
            return "\n".join((run.summary, *run.unavailable, *_kept(crew)))


def mistakes(case: Case, text: str) -> list[str]:
    """What a person should have read and did not, and the other way round."""
    lacks = [f"lacks: {words}" for words in case.says if words not in text]
    return [*lacks, *(f"says: {words}" for words in case.never if words in text)]


def _kept(crew: CrewContext) -> Iterator[str]:
    for entry in Ledger(crew.engine, crew.clock).open():
        one = entry.finding
        lines = " ".join(line.text for line in one.evidence)
        yield f"{one.severity.value} {one.code} {one.subject.key}: {one.cause} {lines} {one.next_step}"
    for record in Execution(crew.engine, crew.settings, crew.clock, crew.uptime).list():
        yield f"proposed {record.action.kind} {record.action.target.key}"


@contextmanager
def _cluster(case: Case, folder: Path) -> Iterator[Api]:
    mounting = pod("db-0", owner=OWNER, conditions=ready())
    mounting["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    with kubernetes_api() as api:
        api.objects |= {
            "/api/v1/pods": [mounting],
            "/apis/apps/v1/statefulsets": [OWNER],
            "/apis/storage.k8s.io/v1/storageclasses": [FAST],
            "/api/v1/persistentvolumeclaims": [_claim(**case.claim)],
        }
        yield api


def _claim(
    size: str = "100Gi",
    seconds: float = 200 * 86400,
    modes: Sequence[str] = ("ReadWriteOnce",),
    mode: str = "Filesystem",
) -> Any:
    spec: dict[str, Any] = {"storageClassName": "fast", "accessModes": list(modes), "volumeMode": mode}
    spec["resources"] = {"requests": {"storage": size}}
    status = {"phase": "Bound", "capacity": {"storage": size}}
    metadata = {"creationTimestamp": ago(seconds=seconds - 137)}
    return thing("PersistentVolumeClaim", "data", metadata=metadata, spec=spec, status=status)
