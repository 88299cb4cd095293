"""What the probes say of a daemon that works, and of one that cannot."""

from __future__ import annotations

import shutil
from collections import namedtuple
from types import SimpleNamespace

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from crews.runtime.context import CrewContext
from opscrew.clock import utc_now
from opscrew.metrics import Metrics
from opscrew.settings import Settings
from server.context import ServerContext
from server.http import probes

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def scheduler() -> SimpleNamespace:
    return SimpleNamespace(running=True)


@pytest.fixture
def client(database: Engine, scheduler: SimpleNamespace) -> TestClient:
    settings = Settings()
    settings.data_dir.mkdir(exist_ok=True)
    crews = CrewContext(settings, database, utc_now, Metrics(), systems=None)
    application = FastAPI()
    application.include_router(probes.router(ServerContext(crews, scheduler, utc_now())))
    return TestClient(application)


def test_ready_while_all_is_well(client) -> None:
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.get("/readyz").status_code == 200


def test_a_full_disk_is_not_ready(client, monkeypatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(10**9, 10**9, 4096))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["problems"] == ["the disk of the data folder is full"]


def test_a_scheduler_that_stands_still_and_a_database_without_tables_are_named(client, scheduler, database) -> None:
    scheduler.running = False
    with database.begin() as connection:
        connection.exec_driver_sql("DROP TABLE runs")
    assert client.get("/readyz").json()["problems"] == ["the scheduler is stopped", "the database does not answer"]
    assert client.get("/healthz").status_code == 200
