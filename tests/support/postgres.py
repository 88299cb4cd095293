"""A throw-away PostgreSQL server on loopback that ends with the tests, however they end.

A shell keeps it: it starts the server, waits until its standard input closes, and stops it. The system closes that pipe
when the process of the tests is gone, killed or not, so no server and no folder stays behind.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from pathlib import Path

import psycopg

from opscrew.store.database import open_database

SWITCHES = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off"
"""The data need not outlive the tests, and the cleaner would visit every test's database."""
START_SECONDS = 120
KEEPER = """
folder=$1 binaries=$2
exec 3<&0 </dev/null                       # nothing that is started here may read, or hold open, the pipe
quietly() { "$@" >>"$folder/log" 2>&1 3<&-; }
mkdir -m 700 "$folder" &&
  quietly "$binaries/initdb" -D "$folder/data" -U crew -A trust --no-sync -E UTF8 &&
  quietly "$binaries/pg_ctl" -D "$folder/data" -w -t "$3" -l "$folder/log" -o "$4" start &&
  echo ready
exec >/dev/null                            # whoever waits for "ready" sees the end where there is none
cat <&3
quietly "$binaries/pg_ctl" -D "$folder/data" -m immediate stop
rm -rf "$folder"
"""
"""Arguments: folder, folder of the programs, seconds to start in, options of the server."""
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

    def __init__(self, binaries: Path) -> None:
        self.binaries = binaries
        # As root the server must run as another user, who cannot enter pytest's private folder.
        self.as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        self.port = 0
        self._template = ""

    def __enter__(self) -> Postgres:
        for _ in range(TRIES):
            self._start()
            assert self.keeper.stdout is not None
            if self.keeper.stdout.readline() == "ready\n":
                return self
            log = self.folder.joinpath("log").read_text(errors="replace") if self.folder.is_dir() else ""
            self.__exit__()
        raise RuntimeError(f"PostgreSQL did not start: {log[-2000:]}")

    def __exit__(self, *_: object) -> None:
        self.keeper.communicate()  # without a limit: on a busy disk it takes long to remove a hundred databases

    def migrated_database(self) -> str:
        if not self._template:
            template = self._create_database()
            open_database(self._url(template)).dispose()
            self._template = template
        return self._url(self._create_database(self._template))

    def _start(self) -> None:
        self.port = _free_port()
        self.folder = Path(tempfile.gettempdir()) / f"crew-postgres-{uuid.uuid4().hex[:8]}"
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} {SWITCHES}"
        arguments = [str(self.folder), str(self.binaries), str(START_SECONDS), options]
        self.keeper = subprocess.Popen(
            [*self.as_user, "sh", "-c", KEEPER, "keeper", *arguments],
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,  # what is sent to the tests' group, as Ctrl-C is, would keep it from its work
        )

    def _create_database(self, template: str = "template1") -> str:
        name = f"t_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def _url(self, name: str) -> str:
        return f"postgresql://crew@127.0.0.1:{self.port}/{name}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
