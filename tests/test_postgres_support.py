"""The tests' own PostgreSQL leaves nothing behind when a run is killed."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.daemon import until
from tests.support.postgres import find_postgres

HOLDS_ONE = """
import sys, time
from tests.support.postgres import Postgres, find_postgres
with Postgres(find_postgres()) as server:
    print(server.folder, server.port, flush=True)
    time.sleep(600)
"""


def test_a_killed_run_leaves_no_server_and_no_folder() -> None:
    if find_postgres() is None:
        pytest.skip("PostgreSQL's server programs are not installed (Debian: apt-get install postgresql)")
    root = Path(__file__).resolve().parents[1]
    run = subprocess.Popen(
        [sys.executable, "-c", HOLDS_ONE], cwd=root, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert run.stdout is not None
    folder, port = run.stdout.readline().split()
    assert _listens(int(port))
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    run.stdout.close()
    until(lambda: not Path(folder).exists())
    assert not _listens(int(port))


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
