"""The data folder is its account's alone, and what is not the crew's is left as it is."""

import os
import time
from pathlib import Path

import pytest

from crews.checks.check import Level
from crews.checks.machine import data_folder
from crews.runtime.systems import Systems
from opscrew.clock import utc_now
from opscrew.file_lock import lock_within
from opscrew.metrics import Metrics
from opscrew.private_files import narrow_below, private_folder, wide_files
from opscrew.settings import Settings
from opscrew.store.database import open_database
from opscrew.store.owner import DataFolderLock
from tests.support.crew_program import crew

PLAIN_UMASK = "import os; os.umask(0o022)"


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def everything(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder.parent)): mode(path) for path in (folder, *folder.rglob("*"))}


def test_whatever_a_command_stores_is_readable_by_its_account_alone(tmp_path: Path) -> None:
    ran = crew(tmp_path, "knowledge", "search", "full disk", first=PLAIN_UMASK, CREW_MEMORY__EMBEDDING="none")
    assert ran.returncode == 0, ran.stderr
    crew(tmp_path, "ask", "is anything wrong?", first=PLAIN_UMASK, CREW_MEMORY__EMBEDDING="none")
    found = everything(tmp_path / "data")
    assert "data/crew.db" in found
    assert {name: oct(mode) for name, mode in found.items() if mode & 0o077} == {}


def test_a_settings_file_may_be_read_by_the_account_of_the_daemon(tmp_path: Path) -> None:
    assert crew(tmp_path, "init", first=PLAIN_UMASK).returncode == 0
    assert mode(tmp_path / "crew.yaml") == 0o644


def test_a_folder_of_an_earlier_version_is_narrowed_when_the_daemon_starts(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "index" / "chroma").mkdir(parents=True)
    for path in (folder / "crew.db", folder / "index" / "snapshot.npz", folder / "index" / "chroma" / "x.bin"):
        path.write_bytes(b"x")
        path.chmod(0o664)
    folder.chmod(0o755)
    with DataFolderLock(folder, utc_now()):
        assert {name: oct(mode) for name, mode in everything(folder).items() if mode & 0o077} == {}


def test_the_database_and_its_log_are_private_in_any_process(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        engine = open_database(f"sqlite:///{tmp_path / 'data' / 'crew.db'}")
        with engine.connect():
            assert everything(tmp_path / "data") == {
                "data": 0o700,
                "data/crew.db": 0o600,
                "data/crew.db-shm": 0o600,
                "data/crew.db-wal": 0o600,
            }
        engine.dispose()
    finally:
        os.umask(before)


def test_a_folder_with_other_things_in_it_keeps_its_rights_and_is_told(tmp_path: Path, monkeypatch) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "someones.txt").write_text("x")
    (shared / "someones.txt").chmod(0o644)
    shared.chmod(0o755)
    private_folder(shared)
    (shared / "crew.db").write_text("")
    (shared / "crew.db").chmod(0o644)
    assert wide_files(shared) == [shared, shared / "crew.db"]
    narrow_below(shared)
    assert (mode(shared), mode(shared / "someones.txt"), mode(shared / "crew.db")) == (0o755, 0o644, 0o600)
    monkeypatch.setenv("CREW_DATA_DIR", str(shared))
    with Systems(Settings(), utc_now, Metrics()) as systems:
        told = data_folder(systems)
    assert (told.level, "other accounts" in told.text, "chmod" in told.hint) == (Level.WARNING, True, True)


def test_an_old_log_of_changes_is_narrowed_with_its_database(tmp_path: Path) -> None:
    """A backup that was restored by hand, or a database of a version before, with what a killed process left."""
    path = tmp_path / "data" / "crew.db"
    path.parent.mkdir()
    for name in ("crew.db", "crew.db-wal", "crew.db-shm"):
        (path.parent / name).touch()
        (path.parent / name).chmod(0o666)
    open_database(f"sqlite:///{path}").dispose()
    assert {name: oct(found) for name, found in everything(path.parent).items() if found & 0o077} == {}


def test_a_link_to_a_fresh_volume_is_narrowed_where_it_leads(tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    (volume / "lost+found").mkdir(parents=True)
    volume.chmod(0o755)
    (tmp_path / "data").symlink_to(volume)
    private_folder(tmp_path / "data")
    assert mode(volume) == 0o700
    assert wide_files(tmp_path / "data") == []


def test_a_volume_that_another_account_owns_is_left_to_it(tmp_path: Path) -> None:
    """As Kubernetes mounts one with ``fsGroup``: the group is the pod's own, and only root could change it."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder to another account")
    volume = tmp_path / "volume"
    volume.mkdir()
    os.chown(volume, 12345, -1)
    volume.chmod(0o2770)
    private_folder(volume)
    assert volume.stat().st_mode & 0o7777 == 0o2770
    assert wide_files(volume) == [volume]


def test_a_folder_for_everybody_and_a_link_are_never_changed(tmp_path: Path) -> None:
    sticky = tmp_path / "sticky"
    sticky.mkdir()
    sticky.chmod(0o1777)
    private_folder(sticky)
    assert sticky.stat().st_mode & 0o7777 == 0o1777
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("x")
    elsewhere.chmod(0o644)
    (sticky / "crew.db").symlink_to(elsewhere)
    narrow_below(sticky)
    assert mode(elsewhere) == 0o644


def test_a_lock_is_waited_for_with_an_end(tmp_path: Path) -> None:
    held = (tmp_path / "lock").open("w")
    other = (tmp_path / "lock").open("w")
    with held, other:
        assert lock_within(held.fileno(), 0, shared=True)
        assert lock_within(other.fileno(), 0, shared=True)
        started = time.monotonic()
        assert not lock_within(other.fileno(), 0.3)
        assert time.monotonic() - started >= 0.3
        held.close()
        assert lock_within(other.fileno(), 60)
