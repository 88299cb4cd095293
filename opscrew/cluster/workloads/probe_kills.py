"""Whether a container ends because the kubelet kills it: its liveness or startup probe fails, and the kubelet says so.

Such a container does not crash. Its exit code is that of the stop (137, 143, or 0 where it ends politely), and only the
events name the probe: "Killing", which is no warning, and "Unhealthy" with the probe's answer. A readiness probe never
kills.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from opscrew.cluster.snapshot import Snapshot
from opscrew.cluster.thresholds import seconds, thresholds
from tools.kubernetes.fields import mapping, mappings, moment, number, text, texts
from tools.kubernetes.records import Event, Resource

# "Container app failed liveness probe, will be restarted"; before Kubernetes 1.13 "Killing container with id
# docker://app:Container failed liveness probe.. Container will be killed and recreated."
_KILL = re.compile(
    r"(?:ontainer (?P<name>[\w.-]+)|://(?P<old_name>[\w.-]+):Container) failed (?P<probe>liveness|startup) probe",
    re.IGNORECASE,
)
_ANSWER = re.compile(r"(?P<probe>liveness|startup) probe (?:failed|errored)(?P<answer>.*)", re.IGNORECASE | re.DOTALL)
_STOPPED = (137, 143)
"""Exit codes of a container that was told to stop; another one needs the kubelet's word that it was killed."""
_DEFAULT_PERIOD_SECONDS = 10
"""What the API server fills in where a probe leaves it out."""
_MANY_FAILURES = 10
"""The default threshold kills after three; so many in a row without a kill do not pass by themselves."""
_CLOSE = timedelta(minutes=15)
"""Between a failed probe and the end that it led to lies at most the grace period; events are written a bit later."""


@dataclass(frozen=True, slots=True)
class ProbeKill:
    """``probe`` is "liveness" or "startup"; ``answer`` what the probe got, ``target`` where it asks; ``times`` how
    often the kubelet says that it killed."""

    probe: str
    answer: str
    target: str
    times: int

    @property
    def words(self) -> str:
        """ "its liveness probe fails: HTTP probe failed with statuscode: 404 (httpGet /healthz port 8080)"."""
        answer = f": {self.answer}" if self.answer else ""
        return f"its {self.probe} probe fails{answer}" + (f" ({self.target})" if self.target else "")

    @property
    def next_step(self) -> str:
        if self.probe == "startup":
            return (
                "Ask the probed address from inside the pod while it starts; give the startup probe more time "
                "(failureThreshold x periodSeconds) if it only needs longer."
            )
        return (
            "Ask the probed address from inside the pod; correct its path and port, or give it a longer timeout or "
            "more failures, and look at the load and the CPU limit of the container."
        )


def failing_probe(snapshot: Snapshot, pod: Resource) -> Event | None:
    """The newest word of a liveness probe that fails nearly every time although the container was not killed: its
    threshold is high, or the probe itself cannot be run, which never kills. Single failures under load are no sign."""
    for match, event in _said(snapshot, pod, "Unhealthy", _ANSWER):
        if match["probe"].lower() == "liveness" and _fails_mostly(pod, event):
            return event
    return None


def _fails_mostly(pod: Resource, event: Event) -> bool:
    periods = [
        number(container, "livenessProbe", "periodSeconds") or _DEFAULT_PERIOD_SECONDS
        for container in mappings(pod.spec, "containers")
        if event.container in ("", text(container, "name")) and "livenessProbe" in container
    ]
    if not periods or event.count < _MANY_FAILURES or event.first_seen is None or event.last_seen is None:
        return False
    tries = (event.last_seen - event.first_seen) / timedelta(seconds=max(periods)) + 1
    return event.count >= tries / 2


def killed_container(message: str) -> str:
    """The container that a "Killing" event names as killed for its probe; empty for any other message."""
    match = _KILL.search(message)
    return match["name"] or match["old_name"] if match else ""


def probe_kill(
    snapshot: Snapshot, pod: Resource, container: str, spec: Mapping[str, Any], ended: Mapping[str, Any]
) -> ProbeKill | None:
    """What killed the container the last time, or None where the events name no probe."""
    kills = [
        (match, event)
        for match, event in _said(snapshot, pod, "Killing", _KILL)
        if container in (match["name"], match["old_name"])
    ]
    answers = [
        (match, event)
        for match, event in _said(snapshot, pod, "Unhealthy", _ANSWER)
        if event.container in ("", container) and (not spec or f"{match['probe'].lower()}Probe" in spec)
    ]
    at = moment(ended, "finishedAt")
    kills = [(match, event) for match, event in kills if is_close(event, at)]
    answers = [(match, event) for match, event in answers if is_close(event, at)]
    if not kills and number(ended, "exitCode") not in _STOPPED:
        return None
    first = next(iter(kills or answers), None)
    if first is None:
        return None
    probe = first[0]["probe"].lower()
    answer = next((match["answer"] for match, _ in answers if match["probe"].lower() == probe), "")
    times = kills[0][1].count if kills else 0
    return ProbeKill(probe, _clean(answer), target_of(mapping(spec, f"{probe}Probe")), times)


def _said(
    snapshot: Snapshot, pod: Resource, reason: str, pattern: re.Pattern[str]
) -> Iterator[tuple[re.Match[str], Event]]:
    """Events of one reason that fit, newest first."""
    window = seconds(thresholds().event_window_seconds)
    for event in reversed(snapshot.events_of(pod)):
        fits = event.reason == reason and snapshot.age(event.last_seen) <= window
        if fits and (match := pattern.search(event.message)):
            yield match, event


def is_close(event: Event, ended_at: datetime | None) -> bool:
    """Whether what the event tells may have led to that end."""
    if ended_at is None or event.last_seen is None:
        return True
    # A repeated event keeps its first time: the end lies between the two, or shortly after.
    return (event.first_seen or event.last_seen) - _CLOSE <= ended_at <= event.last_seen + _CLOSE


def _clean(answer: str) -> str:
    words = " ".join(answer.split()).removeprefix("and ").strip(" :.")
    return words[:200]


def target_of(probe: Mapping[str, Any]) -> str:
    """ "httpGet /healthz port 8080, timeout 1 s"; empty without a probe."""
    what = next((kind for kind in ("httpGet", "tcpSocket", "exec", "grpc") if kind in probe), "")
    if not what:
        return ""
    port = text(probe, what, "port")
    command = " ".join(texts(probe, what, "command"))[:80]
    parts = [what, text(probe, what, "path"), f"port {port}" if port else "", command]
    return f"{' '.join(part for part in parts if part)}, timeout {number(probe, 'timeoutSeconds') or 1} s"
