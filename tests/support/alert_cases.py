"""Recorded bodies of alert senders, put to the crew over real sockets, and what a person reads of them.

Tests ask for each case to be right; the benchmark counts them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import yaml
from fastapi import FastAPI
from fastapi.testclient import TestClient

from crews.alert_triage import job as alert_triage
from crews.runtime.context import CrewContext
from crews.runtime.systems import Systems
from opscrew.alerts.store import AlertStore
from opscrew.findings.ledger import Ledger
from opscrew.metrics import Metrics
from opscrew.model.finding import Finding
from opscrew.settings import Settings
from opscrew.store.database import open_database
from server.context import ServerContext
from server.http import alert_webhooks
from tests.support.databases import migrated_sqlite
from tests.support.http_answers import Answers, http_answers, value

FOLDER = Path(__file__).parents[1] / "crews" / "data" / "alerts"
RECORDED = datetime.fromisoformat("2026-05-24T03:19:10.931+00:00")
"""When most bodies were written; they are told as of now."""
GRAFANA = "https://grafana.example.org"
TOKEN = "a-token-of-these-cases"
ALERTS = {"alertmanager": "/api/v2/alerts", "grafana": "/api/alertmanager/grafana/api/v2/alerts"}
TIME = re.compile(rb'(?<="startsAt": ")[^"]+|(?<="endsAt": ")[^"]+')


@dataclass(frozen=True)
class Read:
    """What there is to read after a case: findings about alerts, and the names of what fires."""

    findings: tuple[Finding, ...]
    firing: tuple[str, ...]


class Clock:
    """Set by hand."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **time: float) -> None:
        self.now += timedelta(**time)


class Receiver:
    """The crew's webhooks and its alert crew; ``alertmanager`` and ``grafana`` are what is asked, where configured."""

    def __init__(self, context: CrewContext, clock: Clock, systems: Mapping[str, Answers]) -> None:
        self.context, self.clock, self._systems = context, clock, systems
        application = FastAPI()
        scheduler: Any = type("Scheduler", (), {"wake": lambda self, crew: True})()
        application.include_router(alert_webhooks.router(ServerContext(context, scheduler, clock())))
        self.client = TestClient(application)

    def post(self, source: str, body: bytes, method: str = "POST") -> int:
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        return self.client.request(method, f"/webhooks/{source}", content=body, headers=headers).status_code

    def holds(self, source: str, alerts: Any) -> None:
        """What the source answers from now on when it is asked."""
        self._systems[source].by_path[ALERTS[source]] = value(alerts)

    def store(self) -> AlertStore:
        return AlertStore(self.context.engine, self.clock)

    def look(self, **later: float) -> Read:
        """A run of the crew so much later; a minute unless given."""
        self.clock.forward(**(later or {"minutes": 1}))
        alert_triage.run(self.context)
        found = tuple(one.finding for one in Ledger(self.context.engine, self.clock).open())
        return Read(found, tuple(one.name for one in self.store().firing()))


@contextmanager
def receiver(folder: Path, now: datetime, *asked: str, **settings: Any) -> Iterator[Receiver]:
    """``asked`` names the sources that are also asked; they hold nothing at first."""
    clock = Clock(now)
    with http_answers() as alertmanager, http_answers() as grafana:
        systems = {"alertmanager": alertmanager, "grafana": grafana}
        addresses = {name: {"url": systems[name].url, "timeout_seconds": 60} for name in asked}
        if "grafana" not in asked and "grafana" not in settings:
            settings["grafana"] = {"url": GRAFANA}  # nothing answers there, and links to it are kept
        built = Settings(
            data_dir=folder,
            memory={"embedding": "none"},
            alerts={"webhook_token": TOKEN},
            **addresses,
            **settings,
        )
        metrics = Metrics()
        engine = open_database(migrated_sqlite(folder / "cases.db"))
        # A host that does not exist would be waited for.
        reached = built if "grafana" in asked else built.model_copy(update={"grafana": None})
        with Systems(reached, clock, metrics) as made:
            found = Receiver(CrewContext(built, engine, clock, metrics, made), clock, systems)
            for name in asked:
                found.holds(name, [])
            yield found
        engine.dispose()


def cases() -> dict[str, dict[str, Any]]:
    """Expectations by file."""
    return dict(yaml.load((FOLDER / "expected.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader))


def body_of(file: str, now: datetime) -> bytes:
    """The body with its times moved, so that most of them are ``now``."""

    def moved(match: re.Match[bytes]) -> bytes:
        at = datetime.fromisoformat(match[0].decode())
        return match[0] if at.year < 1971 or at.year > 2090 else (at + (now - RECORDED)).isoformat().encode()

    return TIME.sub(moved, (FOLDER / file).read_bytes())


def read_case(file: str, expected: Mapping[str, Any], folder: Path, now: datetime) -> Read:
    """Puts the body, and what came before it, to a fresh crew."""
    files = [expected["after"], file] if "after" in expected else [file]
    asked = {every[one]["asked"] for one in files if "asked" in (every := cases()).get(one, {})}
    with receiver(folder, now, *asked) as crew:
        for one in files:
            body = body_of(one, now)
            if "asked" in cases().get(one, {}):
                crew.holds(cases()[one]["asked"], orjson.loads(body))
                crew.look()  # taken in, and told when others of its kind had time to come
            else:
                crew.post(expected["to"], body)
            read = crew.look()
            crew.clock.forward(minutes=7)
        return read


def problems(read: Read, expected: Mapping[str, Any]) -> list[str]:
    """What is not as expected; empty where a person reads the right thing."""
    code = expected.get("code", "ALERT_FIRING")
    told = [one for one in read.findings if one.code.startswith(("ALERT_", "SYSTEM_"))]
    wrong = [f"told: {one.code}" for one in told if one.code != code]
    matching = [one for one in told if one.code == code]
    if code != "none" and not matching:
        wrong.append(f"no {code}")
    text = "\n".join(one.cause for one in matching)
    links = "\n".join(line.link for one in matching for line in one.evidence)
    wrong += [f"does not say: {words}" for words in expected.get("says", ()) if words not in f"{text}\n{links}"]
    wrong += [f"says: {words}" for words in expected.get("never", ()) if words in text]
    gravest = max((one.severity for one in matching), key=lambda one: one.rank, default=None)
    if expected.get("severity", gravest) != gravest:
        wrong.append(f"severity {gravest}")
    if "firing" in expected and sorted(read.firing) != sorted(expected["firing"]):
        wrong.append(f"firing {read.firing}")
    return [*wrong, text] if wrong else []


def findings(read: Read, code: str = "ALERT_FIRING") -> Sequence[Finding]:
    return [one for one in read.findings if one.code == code]
