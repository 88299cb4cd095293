"""Starts the real victoria-metrics, vmalert, victoria-logs and alertmanager on free ports, and stops them again."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from tests.support.kubernetes import free_port
from tests.support.parts import part

VICTORIA, VICTORIA_LOGS, ALERTMANAGER = "victoria-v1.150.0", "victoria-logs-v1.121.0", "alertmanager-v0.31.1"


@contextmanager
def victoria_metrics(folder: Path) -> Iterator[str]:
    """The address of an empty victoria-metrics whose samples are visible at once."""
    program = part(VICTORIA, "victoria-metrics", "victoria")
    arguments = [f"-storageDataPath={folder / 'metrics'}", "-search.latencyOffset=0s", "-retentionPeriod=2y"]
    with _running(program, folder, "-httpListenAddr=127.0.0.1:{port}", arguments, "/health") as url:
        yield url


@contextmanager
def victoria_logs(folder: Path) -> Iterator[str]:
    """The address of an empty victoria-logs."""
    program = part(VICTORIA_LOGS, "victoria-logs", "victorialogs")
    arguments = [f"-storageDataPath={folder / 'logs'}", "-retentionPeriod=2y"]
    with _running(program, folder, "-httpListenAddr=127.0.0.1:{port}", arguments, "/health") as url:
        yield url


@contextmanager
def vmalert(folder: Path, rules: str, *, metrics: str, notifier: str = "") -> Iterator[str]:
    """The address of a vmalert that evaluates ``rules`` (YAML) every second."""
    program = part(VICTORIA, "vmalert", "victoria")
    file = folder / "rules.yaml"
    file.write_text(rules, encoding="utf-8")
    to = [f"-notifier.url={notifier}"] if notifier else ["-notifier.blackhole"]
    to += ["-evaluationInterval=1s", "-rule.evalDelay=0s"]
    arguments = [f"-rule={file}", f"-datasource.url={metrics}", f"-remoteWrite.url={metrics}", *to]
    with _running(program, folder, "-httpListenAddr=127.0.0.1:{port}", arguments, "/health") as url:
        yield url


@contextmanager
def alertmanager(folder: Path, config: str = "route: {receiver: none}\nreceivers: [{name: none}]\n") -> Iterator[str]:
    """The address of an alertmanager without gossip, by default one that tells nobody."""
    program = part(ALERTMANAGER, "alertmanager", "alertmanager")
    file = folder / "alertmanager.yaml"
    file.write_text(config, encoding="utf-8")
    arguments = [f"--config.file={file}", f"--storage.path={folder / 'alerts'}", "--cluster.listen-address="]
    with _running(program, folder, "--web.listen-address=127.0.0.1:{port}", arguments, "/-/ready") as url:
        yield url


def write_samples(metrics: str, series: Iterable[tuple[Mapping[str, str], Iterable[tuple[datetime, float]]]]) -> None:
    """Puts (labels with __name__, points) into victoria-metrics, visible when this returns."""
    lines = []
    for labels, points in series:
        pairs = list(points)
        times, values = [int(at.timestamp() * 1000) for at, _ in pairs], [value for _, value in pairs]
        lines.append(json.dumps({"metric": dict(labels), "values": values, "timestamps": times}))
    _ask("POST", f"{metrics}/api/v1/import", content="\n".join(lines))
    _ask("GET", f"{metrics}/internal/force_flush")


def write_logs(logs: str, entries: Iterable[Mapping[str, Any]]) -> None:
    """Puts entries with _time and _msg into victoria-logs, one stream per pod, visible when this returns."""
    content = "\n".join(json.dumps(dict(entry)) for entry in entries)
    query = {"_stream_fields": "kubernetes.pod_namespace,kubernetes.pod_name"}
    _ask("POST", f"{logs}/insert/jsonline", params=query, content=content)
    _ask("GET", f"{logs}/internal/force_flush")


def _ask(method: str, url: str, **request: Any) -> None:
    httpx.request(method, url, timeout=60, trust_env=False, **request).raise_for_status()


@contextmanager
def _running(program: Path, folder: Path, listen: str, arguments: list[str], ready: str) -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    log = folder / f"{program.name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(program), listen.format(port=port), *arguments], stdout=output, stderr=output, cwd=folder
        )
    try:
        _wait(url + ready, process, log)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            if httpx.get(url, timeout=10, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"{url} does not answer:\n{log.read_text(errors='replace')[-2000:]}")
