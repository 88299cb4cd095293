"""A volume from its figures to its enlargement, on a real API server and a real VictoriaMetrics.

The kubelet and the driver are played by hand: what they would write is a patch of the claim's status and a metric.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crews.runtime.context import CrewContext
from crews.runtime.systems import Systems
from crews.storage_growth import job as storage_growth
from crews.upkeep import follow_actions as action_upkeep
from opscrew.actions.execution import Execution
from opscrew.clock import utc_now
from opscrew.findings.ledger import Ledger
from opscrew.metrics import Metrics
from opscrew.model.action import ActionState
from opscrew.model.run import RunOutcome
from opscrew.settings import KubernetesSettings, Settings, UrlSettings
from opscrew.storage.volume import GIB
from opscrew.store.database import open_database
from tests.support.kubernetes import ControlPlane, control_plane
from tests.support.parts import need_control_plane
from tests.support.victoria import victoria_metrics, write_samples
from tests.support.volumes import growing

pytestmark = pytest.mark.real

CLAIM = "/api/v1/namespaces/default/persistentvolumeclaims/data"
LABELS = {"namespace": "default", "persistentvolumeclaim": "data"}


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[ControlPlane]:
    need_control_plane()
    folder = tmp_path / "plane"
    folder.mkdir()
    with control_plane(folder) as running:
        fast = {"provisioner": "ebs.csi.aws.com", "parameters": {"type": "gp3"}, "allowVolumeExpansion": True}
        running.apply(
            {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "fast"}, **fast},
            {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": {"name": "data", "namespace": "default"},
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "storageClassName": "fast",
                    "volumeName": "disk-1",
                    "resources": {"requests": {"storage": "100Gi"}},
                },
            },
        )
        running.patch_status(CLAIM, {"phase": "Bound", "capacity": {"storage": "100Gi"}})
        yield running


@pytest.fixture
def context(plane: ControlPlane, tmp_path: Path) -> Iterator[CrewContext]:
    engine = open_database(f"sqlite:///{tmp_path / 'crew.db'}")
    with victoria_metrics(tmp_path) as url:
        settings = Settings(
            kubernetes=(KubernetesSettings(name="prod", kubeconfig=plane.kubeconfig),),
            victoriametrics=UrlSettings(url=url),
            policy={"expand_pvc": "auto"},
            data_dir=tmp_path,
        )
        metrics = Metrics()
        with Systems(settings, utc_now, metrics) as systems:
            yield CrewContext(settings=settings, engine=engine, clock=utc_now, metrics=metrics, systems=systems)
    engine.dispose()


def measure(context: CrewContext, hours: list[float], size: float) -> None:
    """What the kubelet would report: one value an hour until now. The claim was made a moment ago."""
    assert context.settings.victoriametrics is not None
    now = datetime.now(UTC)
    used = [(now - timedelta(hours=len(hours) - 1 - index), gib * GIB) for index, gib in enumerate(hours)]
    rows = {"used": used, "capacity": [(now, size * GIB)], "available": [(now, (size - hours[-1]) * GIB)]}
    write_samples(
        context.settings.victoriametrics.url,
        [({"__name__": f"kubelet_volume_stats_{name}_bytes", **LABELS}, points) for name, points in rows.items()],
    )


def the_action(context: CrewContext) -> tuple[ActionState, str]:
    (record,) = Execution(context.engine, context.settings, context.clock, context.uptime).list()
    return record.state, record.note


def test_a_filling_volume_is_enlarged_and_proved_by_its_file_system(plane: ControlPlane, context: CrewContext) -> None:
    measure(context, growing(97.5, 0.1, days=2), size=100)
    run = storage_growth.run(context)
    assert run.outcome is RunOutcome.OK, run.summary
    assert "1 enlargements proposed" in run.summary
    assert [entry.finding.code for entry in Ledger(context.engine, utc_now).open()] == ["VOLUME_FULL"]

    action_upkeep.run(context)
    asked = plane.http.get(CLAIM).json()["spec"]["resources"]["requests"]["storage"]
    assert int(asked.removesuffix("Gi")) >= 120
    assert the_action(context)[0] is ActionState.SENT

    plane.patch_status(CLAIM, {"capacity": {"storage": asked}})
    action_upkeep.run(context)
    assert the_action(context)[0] is ActionState.SENT  # the file system is still the old one

    size = float(asked.removesuffix("Gi"))
    measure(context, growing(97.6, 0.1, days=2), size=size)
    action_upkeep.run(context)
    assert the_action(context) == (ActionState.SUCCEEDED, f"the file system has {size:.1f} GiB now")
    storage_growth.run(context)
    assert list(Ledger(context.engine, utc_now).open()) == []


def test_a_class_that_forbids_it_is_refused_by_the_server_too(plane: ControlPlane, context: CrewContext) -> None:
    measure(context, growing(97.5, 0.1, days=2), size=100)
    storage_growth.run(context)
    headers = {"Content-Type": "application/merge-patch+json"}
    path = "/apis/storage.k8s.io/v1/storageclasses/fast"
    plane.http.patch(path, json={"allowVolumeExpansion": False}, headers=headers).raise_for_status()
    action_upkeep.run(context)
    state, note = the_action(context)
    assert state is ActionState.REFUSED
    assert "does not allow enlarging" in note
