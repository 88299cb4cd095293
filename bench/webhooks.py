"""How soon the real daemon acts on a webhook: from the signed request until the failure is told, and until the re-run
is asked for.

Bitbucket's own way to us is not in it: nothing here can measure that.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from sqlalchemy import Engine

from bench.section import Row, Section, at_most
from demo.bitbucket.app import create_app
from demo.bitbucket.world import TOKEN, World
from demo.clock import FastClock
from demo.serving import serve
from opscrew.clock import utc_now
from opscrew.findings.ledger import Ledger
from opscrew.store.database import open_database
from tests.support.daemon import CREW, Daemon

SECRET = "of the benchmark's webhook"
BUILDS = 12
"""Of each sort, one after the other, each in a repository of its own."""
PAUSE_SECONDS = 3
"""Between two webhooks: longer than the daemon's own pause after a run, so that each finds it at rest."""
LIMIT_SECONDS = 60


def measure(_data: Path) -> Section:
    """Runs `crew serve` against the sandbox; the repositories were polled before, and are quiet."""
    clock = FastClock(datetime.now(UTC) - timedelta(hours=3))
    world = World(clock)
    slugs = [f"{fate}-{number}" for number in range(BUILDS) for fate in ("failing", "flaky")]
    for slug in slugs:
        world.add_repository(slug, "python")
    with tempfile.TemporaryDirectory(prefix="crew-bench-") as folder, serve(create_app(world)) as bitbucket:
        environment = {
            "CREW_BITBUCKET__URL": f"{bitbucket}/2.0",
            "CREW_BITBUCKET__WORKSPACE": "acme",
            "CREW_BITBUCKET__TOKEN": TOKEN,
            "CREW_BITBUCKET__WEBHOOK_SECRET": SECRET,
            # An hour's worth of failures passes in a minute here, and so would an hour's requests.
            "CREW_BITBUCKET__REQUESTS_PER_HOUR": "50000",
            "CREW_POLICY": '{"rerun_pipeline": "auto"}',
            "CREW_BUDGET": '{"per_hour": 1000}',
            "CREW_MEMORY__EMBEDDING": "none",
            "CREW_LOG_LEVEL": "warning",
        }
        with Daemon(Path(folder) / "data", environment, CREW) as daemon, httpx.Client(trust_env=False) as caller:
            engine = open_database(f"sqlite:///{daemon.folder / 'crew.db'}")
            time.sleep(PAUSE_SECONDS)
            delays = {slug: _delay(daemon, caller, engine, world, clock, slug) for slug in slugs}
            engine.dispose()
    told = [seconds for slug, seconds in delays.items() if slug.startswith("failing")]
    sent = [seconds for slug, seconds in delays.items() if slug.startswith("flaky")]
    return Section(
        "webhooks",
        "Acting on a webhook",
        f"The real `crew serve` and the sandbox of Bitbucket on this machine; {BUILDS} genuine failures and {BUILDS} "
        "blips, one after the other, from the signed webhook on. Bitbucket's own delay comes on top.",
        [
            at_most("failure explained and told, median", statistics.median(told), 2, digits=2, unit=" s"),
            Row("failure explained and told, slowest", f"{max(told):.2f} s"),
            at_most("re-run asked for, median", statistics.median(sent), 2, digits=2, unit=" s"),
            Row("re-run asked for, slowest", f"{max(sent):.2f} s"),
        ],
    )


def _delay(daemon: Daemon, caller: httpx.Client, engine: Engine, world: World, clock: FastClock, slug: str) -> float:
    """Seconds from the webhook to what it is for."""
    run = world.push(slug, slug.partition("-")[0])
    clock.forward(minutes=5)  # the pipeline has ended, and no poll is due because of it
    body = json.dumps(
        {
            "repository": {"full_name": f"acme/{slug}"},
            "commit_status": {"state": "FAILED", "refname": "main", "commit": {"hash": run.target.commit}},
        }
    ).encode()
    headers = {
        "X-Hub-Signature": "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest(),
        "X-Event-Key": "repo:commit_status_updated",
    }
    began = time.monotonic()
    answer = caller.post(f"{daemon.url}/webhooks/bitbucket", content=body, headers=headers)
    if answer.status_code != 202:
        raise RuntimeError(f"the webhook was answered {answer.status_code}: {answer.text}")
    if slug.startswith("flaky"):
        seconds = _wait(began, lambda: len(world.repositories[slug].runs) == 2)
    else:
        seconds = _wait(began, lambda: _is_told(engine, slug))
    time.sleep(PAUSE_SECONDS)
    return seconds


def _is_told(engine: Engine, slug: str) -> bool:
    return any(entry.finding.subject.scope == f"acme/{slug}" for entry in Ledger(engine, utc_now).open())


def _wait(began: float, happened: Callable[[], bool]) -> float:
    while not happened():
        if time.monotonic() - began > LIMIT_SECONDS:
            raise RuntimeError(f"nothing happened within {LIMIT_SECONDS} s")
        time.sleep(0.01)
    return time.monotonic() - began
