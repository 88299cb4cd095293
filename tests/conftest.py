# ruff: noqa: E402  bytecode is switched on before anything is imported
"""What every test may use: a database of its own, on SQLite and, where it can be had, on PostgreSQL."""

from __future__ import annotations

import itertools
import logging
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

# A run imports the same files in hundreds of processes: whoever asks for no bytecode files would wait for each of them
# to be compiled anew, the tests themselves, whose assertions pytest rewrites, in every worker.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

import hypothesis
import pytest
import structlog
from sqlalchemy import Engine

from opscrew import reading_time, redaction
from opscrew.store.database import open_database
from tests.support.answer_limits import LIMITS_OF_AN_ANSWER
from tests.support.databases import do_not_wait_for_the_disk, migrated_sqlite
from tests.support.postgres import Postgres, find_postgres

do_not_wait_for_the_disk()
# Short tracebacks: the library's own, in colour and with every local, take seconds each.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)
# Limits per example measure the machine, and a busy one would break them.
hypothesis.settings.register_profile("crew", deadline=None)
hypothesis.settings.load_profile("crew")

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
NUMBERS = itertools.count()


LONG = (
    *("tests/test_nothing_leaves.py", "tests/server/test_daemon.py", "tests/cli/test_demo.py"),
    *("tests/crews/runtime/test_absent_is_not_well.py", "tests/server/http/test_alert_webhooks.py"),
    *("tests/cli/test_ask.py", "tests/cli/test_own_secrets.py", "tests/crews/team/test_connections.py"),
    *("tests/test_main.py", "tests/cli/test_stopping.py", "tests/crews/notify/test_crash.py", "tests/cli/test_run.py"),
)
"""Modules with tests of many seconds. Begun last, one of them would keep a single worker busy at the end."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In whatever order the modules are, each worker begins with its share of the long ones: xdist first gives every
    worker an equal stretch of the list."""
    workers = int(getattr(config, "workerinput", {}).get("workercount", 1))
    long = {name: [one for one in items if one.nodeid.startswith(name)] for name in LONG}
    short = [one for one in items if not one.nodeid.startswith(LONG)]
    items[:] = []
    for worker in range(workers):
        begin, end = len(short) * worker // workers, len(short) * (worker + 1) // workers
        items += [one for name in LONG[worker::workers] for one in long[name]]
        items += short[begin:end]


def pytest_unconfigure() -> None:
    """What libraries log while Python ends goes to a stream of a test that is over: no page of traceback for that."""
    logging.raiseExceptions = False


@pytest.fixture(autouse=True)
def no_settings_of_the_person_running_this(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Tests never read or write the real data folder, configuration or secrets, and ask no proxy for this machine.

    A folder is made only for a test that asks for one: most do not, and making and deleting it takes as long as they.
    """
    wants_folder = "tmp_path" in request.fixturenames
    folder = (
        request.getfixturevalue("tmp_path")
        if wants_folder
        else tmp_path_factory.getbasetemp() / f"none-{next(NUMBERS)}"
    )
    for name in list(os.environ):
        if name.startswith("CREW_") or name.upper() in PROXIES:
            monkeypatch.delenv(name)
    monkeypatch.setenv("CREW_DATA_DIR", str(folder / "crew-data"))
    # What settings of an earlier test set for the whole process.
    redaction.forget_own()
    reading_time.read_times_in(UTC)


@pytest.fixture
def hurried() -> None:
    """For a test of those limits among others that are ``unhurried``."""


@pytest.fixture
def unhurried(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part of an answer may take a minute: on a busy machine one that is late would be missing in what is said."""
    if "hurried" in request.fixturenames:
        return
    for name in LIMITS_OF_AN_ANSWER:
        monkeypatch.setattr(name, 60.0)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of this test run; skips with the reason where the programs are not installed."""
    binaries = find_postgres()
    if binaries is None:
        pytest.skip("PostgreSQL's server programs are not installed (Debian: apt-get install postgresql)")
    with Postgres(binaries) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty, migrated database. Each test that asks for it runs on both kinds."""
    if request.param == "sqlite":
        url = migrated_sqlite(tmp_path / "crew.db")
    else:
        url = request.getfixturevalue("postgres").migrated_database()
    engine = open_database(url)
    yield engine
    engine.dispose()


class ManualClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **amount: float) -> None:
        self.now += timedelta(**amount)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 10, 6, 12, 0, tzinfo=UTC))
