"""What the shop's monitoring says when benchmarks ask: figures, error lines and alerts, over real sockets."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.http_answers import Answers, Handler, Request, http_answers, text, value
from tools.victorialogs.client import PATH as LOGS
from tools.victoriametrics.client import QUERY, QUERY_RANGE

WORKLOADS = ("cart", "web", "search", "payments", "catalogue", "session-cache", "image-resizer", "report")
POINTS = 30
Wait = Callable[[str], None]


@contextmanager
def served(name: str, wait: Wait) -> Iterator[str]:
    """The address of the system called ``name``. ``wait`` blocks for as long as it takes to answer."""
    fill = {"victoriametrics": _metrics, "victorialogs": _logs, "alertmanager": _alerts}[name]
    with http_answers() as answers:
        fill(answers)
        answers.by_path = {path: _late(name, wait, answer) for path, answer in answers.by_path.items()}
        yield answers.url


def _late(name: str, wait: Wait, answer: Callable[[Handler, Request], None]) -> Callable[[Handler, Request], None]:
    def after(handler: Handler, request: Request) -> None:
        wait(name)
        with suppress(OSError):  # whoever asked has given up meanwhile
            answer(handler, request)

    return after


def _metrics(answers: Answers) -> None:
    answers.by_path |= {QUERY_RANGE: _series, QUERY: value({"status": "success", "data": _data("vector", [])})}


def _series(handler: Handler, request: Request) -> None:
    query = request.values["query"]
    end, step = float(request.values["end"]), float(request.values["step"].rstrip("s"))
    size = 2**30 if "memory_working_set" in query else 1.0
    found = []
    for number, labels in enumerate(_labels(query), start=1):
        points = [[end - step * back, str(size * number * (1 + back % 5) / 20)] for back in range(POINTS, -1, -1)]
        found.append({"metric": labels, "values": points})
    value({"status": "success", "data": _data("matrix", found)})(handler, request)


def _labels(query: str) -> list[dict[str, str]]:
    """Of the series that a query brings: volumes, nodes, services or workloads."""
    if "persistentvolumeclaim" in query:
        return [{"namespace": "checkout", "persistentvolumeclaim": f"data-{one}-0"} for one in WORKLOADS[:4]]
    if "instance" in query:
        return [{"node": f"node-{number}", "instance": f"node-{number}:9100"} for number in range(6)]
    if "service" in query:
        return [{"namespace": "checkout", "service": one} for one in WORKLOADS]
    return [{"namespace": "checkout", "workload": one} for one in WORKLOADS]


def _data(kind: str, found: list[Any]) -> dict[str, Any]:
    return {"resultType": kind, "result": found}


def _logs(answers: Answers) -> None:
    answers.by_path[LOGS] = _lines


def _lines(handler: Handler, request: Request) -> None:
    query = request.values["query"]
    said = (
        "error: card {} was refused by the payment provider: 503 Service Unavailable after 3 tries",
        "could not obtain connection from pool shop-db within 30000 ms (active=20, idle=0, waiting={})",
        "java.net.SocketTimeoutException: Read timed out calling http://search:8080/api/v1/suggest?q={}",
    )
    if "| field_names" in query:
        rows: list[dict[str, str]] = [{"name": f"kubernetes.pod_{one}", "hits": "9"} for one in ("namespace", "name")]
    elif "| stats by (" in query:
        source = {"kubernetes.pod_namespace": "checkout", "total": "900"}
        rows = [
            {**source, "kubernetes.pod_name": f"{one}-7f9c-x2k4q", "hits": str(90 - n)}
            for n, one in enumerate(WORKLOADS)
        ]
    elif "| collapse_nums" in query:
        rows = [{"_msg": one.format("<N>"), "hits": str(40 - n)} for n, one in enumerate(said)]
    elif "| stats count()" in query:
        rows = [{"hits": "0" if "missing _msg" in query else "684"}]
    else:
        rows = [
            {
                "_time": (datetime.now(UTC) - timedelta(minutes=n)).isoformat(),
                "_msg": said[n % 3].format(4711 + n),
                "kubernetes.pod_name": f"{WORKLOADS[n % 3]}-7f9c-x2k4q",
            }
            for n in range(12)
        ]
    text("\n".join(map(json.dumps, rows)))(handler, request)


def _alerts(answers: Answers) -> None:
    begun = datetime.now(UTC) - timedelta(hours=2)
    names = ("KubePodCrashLooping", "KubePodNotReady", "CPUThrottlingHigh", "TargetDown", "HighErrorRate")
    found = [
        {
            "fingerprint": f"{name}-{one}",
            "labels": {"alertname": name, "severity": "warning", "namespace": "checkout", "pod": f"{one}-7f9c-x2k4q"},
            "annotations": {"summary": f"{name}: {one} has been in this state for more than 15 minutes."},
            "startsAt": begun.isoformat(),
            "endsAt": (datetime.now(UTC) + timedelta(hours=6)).isoformat(),
            "updatedAt": datetime.now(UTC).isoformat(),
            "generatorURL": "http://rules.example/1",
            "status": {"state": "active", "silencedBy": [], "inhibitedBy": []},
        }
        for name in names
        for one in WORKLOADS[:3]
    ]
    answers.by_path["/api/v2/alerts"] = value(found)
