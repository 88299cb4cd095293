"""Colours are for terminals, and for people who have not asked for none (https://no-color.org)."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from opscrew.clock import utc_now
from opscrew.findings.codes import finding
from opscrew.findings.ledger import Ledger
from opscrew.model.subject import Subject
from opscrew.store.database import open_database
from tests.support.databases import migrated_sqlite

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    engine = open_database(migrated_sqlite(tmp_path / "crew.db"))
    outage = finding("CI_OUTAGE", Subject(system="bitbucket", kind="workspace", name="acme"), "seven at once")
    Ledger(engine, utc_now).observe("test", [outage], complete=True)
    engine.dispose()
    (tmp_path / "build.log").write_text("npm ERR! code ECONNRESET\n", encoding="utf-8")
    return tmp_path


def on_a_terminal(folder: Path, arguments: str, **environment: str) -> str:
    terminal, program = pty.openpty()
    try:
        subprocess.run(
            [sys.executable, str(ROOT / "main.py"), *arguments.split()],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "CREW_DATA_DIR": str(folder), "TERM": "xterm", **environment},
            stdout=program,
            stderr=subprocess.DEVNULL,
            timeout=240,
            check=True,
        )
        os.close(program)
        program = -1
        return _everything(terminal)
    finally:
        os.close(terminal)
        if program >= 0:
            os.close(program)


def _everything(terminal: int) -> str:
    read = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # how Linux says that nobody writes any more
            part = b""
        if not part:
            return read.decode()
        read += part


@pytest.mark.parametrize("arguments", ["findings", "ci classify build.log"])
def test_a_terminal_gets_colours_unless_somebody_wants_none(folder: Path, arguments: str) -> None:
    assert "\x1b[3" in on_a_terminal(folder, arguments)
    assert "\x1b[3" not in on_a_terminal(folder, arguments, NO_COLOR="1")
    assert "\x1b" not in on_a_terminal(folder, arguments, TERM="dumb")


def test_a_file_gets_none(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), "findings"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "CREW_DATA_DIR": str(folder), "TERM": "xterm"},
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    assert "seven at once" in done.stdout
    assert "\x1b" not in done.stdout
