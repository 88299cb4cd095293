"""How long one look at 5,000 pods takes: the command from a cold start, and the daemon whose watches are warm."""

from __future__ import annotations

import os
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
import yaml

from bench.section import Row, Section, at_most
from crews.runtime.cluster_reader import ClusterReader
from crews.runtime.clusters import snapshot_of
from opscrew.clock import utc_now
from opscrew.cluster.assessment import assess
from opscrew.cluster.report.noise import load_noise
from opscrew.settings import KubernetesSettings
from tests.support.kubernetes import ControlPlane, control_plane, missing_programs
from tests.support.kubernetes_load import fill

_PODS, _BROKEN, _COLD_RUNS, _WARM_RUNS = 5000, 100, 7, 9
_REFERENCE = "K8sGPT 0.6 to 1.5 s, 200 to 237 MB"
_INTRO = (
    f"{_PODS} pods on 50 pretended nodes (kwok) of a real API server, {_BROKEN} of them broken, with events. Cold is "
    "the whole `crew cluster check --json` with the start of the process; warm is reading the watched picture and "
    "judging it."
)


def measure(data: Path) -> Section:
    """Raises ``FileNotFoundError`` where a program of the control plane is missing. ``data`` is not used."""
    if missing := missing_programs(full=False, kwok=True):
        raise FileNotFoundError(f"no {', '.join(missing)} (`make parts` builds them)")
    with TemporaryDirectory() as folder, control_plane(Path(folder), kwok=True) as plane:
        fill(plane, pods=_PODS, broken=_BROKEN)
        cold = [_cold(plane) for _ in range(_COLD_RUNS)]
        first, warm, found = _warm(plane)
    seconds, megabytes = statistics.median(run.seconds for run in cold), max(run.megabytes for run in cold)
    cpu, found_cold = statistics.median(run.cpu for run in cold), cold[0].broken
    load = f"{os.getloadavg()[0]:.0f} on {os.cpu_count()} cores"
    return Section(
        "cluster_sweep",
        "One look at 5,000 pods",
        _INTRO,
        [
            at_most("cold, median of 7", seconds, 1.5, _REFERENCE, digits=2, unit=" s"),
            at_most("cold, most memory", megabytes, 300, _REFERENCE, digits=0, unit=" MB"),
            at_most("warm, median of 9", statistics.median(warm), 0.2, digits=3, unit=" s"),
            Row("cold, CPU of the command", f"{cpu:.2f} s"),
            Row("load of the machine meanwhile", load),
            Row("first complete picture of the watches", f"{first:.2f} s"),
            Row("broken pods found, cold", f"{found_cold} of {_BROKEN}", f"{_BROKEN}", met=found_cold == _BROKEN),
            Row("broken pods found, warm", f"{found} of {_BROKEN}", f"{_BROKEN}", met=found == _BROKEN),
        ],
    )


@dataclass(frozen=True)
class ColdRun:
    """One run of the command in a process of its own: wall and CPU seconds, peak memory, broken pods found."""

    seconds: float
    cpu: float
    megabytes: float
    broken: int


def _cold(plane: ControlPlane) -> ColdRun:
    config = plane.folder / "crew.yaml"
    config.write_text(yaml.safe_dump({"kubernetes": [{"name": "bench", "kubeconfig": str(plane.kubeconfig)}]}))
    output = plane.folder / "findings.json"
    command = [sys.executable, "-m", "main", "--config", str(config), "cluster", "check", "--json"]
    began = time.perf_counter()
    with output.open("wb") as file:
        to_file = [(os.POSIX_SPAWN_DUP2, file.fileno(), 1)]
        process = os.posix_spawn(sys.executable, command, dict(os.environ), file_actions=to_file)
        _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - began
    if status:
        raise RuntimeError(f"crew cluster check ended with {os.waitstatus_to_exitcode(status)}")
    findings = orjson.loads(output.read_bytes())["findings"]
    broken = sum(finding["kind"] == "Pod" for finding in findings)
    return ColdRun(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, broken)


def _warm(plane: ControlPlane) -> tuple[float, list[float], int]:
    """Seconds to the first picture, seconds of each further look, and broken pods found."""
    noise = load_noise()
    reader = ClusterReader(KubernetesSettings(name="bench", kubeconfig=plane.kubeconfig))
    try:
        reader.read()  # the look of a process that may end after it; the next one shows that this one stays
        began = time.perf_counter()
        reader.read()
        first = time.perf_counter() - began
        looks, found = [], 0
        for _ in range(_WARM_RUNS):
            began = time.perf_counter()
            assessment = assess(snapshot_of(reader.read(), utc_now()), noise, "bench")
            looks.append(time.perf_counter() - began)
            found = sum(finding.subject.kind == "Pod" for finding in assessment.problems)
    finally:
        reader.close()
    return first, looks, found
