"""A throw-away PostgreSQL server on loopback, started by the tests and stopped by them."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import uuid
from pathlib import Path

import psycopg
import pytest

from opscrew.store.database import open_database

SWITCHES = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off"
"""The data need not outlive the tests, and the cleaner would visit every test's database."""
START_SECONDS = 120
TRIES = 5
"""A free port may be taken by another program between the moment it is found and the moment it is used."""


def find_postgres() -> Path | None:
    """The folder with initdb and pg_ctl: Debian's newest, else what is on the PATH."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    on_path = shutil.which("initdb")
    found = versions[-1] if versions else Path(on_path).resolve() if on_path else None
    return found.parent if found else None


class Postgres:
    """``with Postgres(...) as server`` runs it; ``server.migrated_database()`` gives the URL of a new one."""

    def __init__(self, binaries: Path, folders: pytest.TempPathFactory) -> None:
        self.binaries = binaries
        # As root the server must run as another user, who cannot enter pytest's private folder.
        self.as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        self.folder = Path("/tmp") / f"crew-postgres-{uuid.uuid4().hex[:8]}"
        self.port = 0
        self._template = ""

    def __enter__(self) -> Postgres:
        self.folder.mkdir()
        if self.as_user:
            account = pwd.getpwnam("postgres")
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        data = str(self.folder / "data")
        self._run("initdb", "-D", data, "-U", "crew", "-A", "trust", "--no-sync", "-E", "UTF8")
        for attempt in range(1, TRIES + 1):
            try:
                self._start(data)
                return self
            except subprocess.CalledProcessError:
                if attempt == TRIES:
                    raise
        raise AssertionError("the loop returns or raises")

    def __exit__(self, *_: object) -> None:
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def migrated_database(self) -> str:
        if not self._template:
            template = self._create_database()
            open_database(self._url(template)).dispose()
            self._template = template
        return self._url(self._create_database(self._template))

    def _start(self, data: str) -> None:
        self.port = _free_port()
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} {SWITCHES}"
        log = str(self.folder / "log")
        self._run("pg_ctl", "-D", data, "-w", "-t", str(START_SECONDS), "-l", log, "-o", options, "start")

    def _create_database(self, template: str = "template1") -> str:
        name = f"t_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def _url(self, name: str) -> str:
        return f"postgresql://crew@127.0.0.1:{self.port}/{name}"

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [*self.as_user, str(self.binaries / program), *arguments],
            check=True,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
