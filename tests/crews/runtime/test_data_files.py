"""A data file that was edited wrongly is told when the crew starts, whichever file it is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from crews.mcp.servers import refuse_mistakes
from crews.runtime.data_files import READERS, refuse_broken_files
from crews.runtime.registry import CREWS
from crews.runtime.schedule import SCHEDULE_FILE, load
from opscrew.errors import CrewError
from opscrew.settings import STARTER_FILE, Settings

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = ("agents", "crews", "opscrew", "tasks", "tools")
OPENED = """
import sys
from pathlib import Path
opened = []
sys.addaudithook(lambda event, given: opened.append(str(given[0])) if event == "open" else None)
from tests.crews.runtime.test_data_files import start
start()
print("\\n".join(opened))
"""


def start() -> None:
    """What `crew serve` reads before anything else."""
    settings = Settings()
    refuse_mistakes(settings)
    refuse_broken_files(settings)
    load(SCHEDULE_FILE, [crew.name for crew in CREWS])


def run(*arguments: str) -> str:
    ended = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_every_data_file_is_read_at_the_start() -> None:
    there = {str(path) for folder in FOLDERS for path in (ROOT / folder).rglob("*.yaml")} - {str(STARTER_FILE)}
    assert len(there) > 40
    assert there - set(run("-c", OPENED).splitlines()) == set()


def test_whichever_file_is_broken_is_named_in_one_line() -> None:
    told = [json.loads(line) for line in run("-m", "tests.support.broken_files_program").splitlines()]
    assert len(told) == 3 * len(READERS)
    for file, content, said in told:
        assert said.startswith(file), f"{file} as {content!r}: {said}"
        assert "\n" not in said


def test_a_file_of_ones_own_is_read_too(tmp_path: Path) -> None:
    own = tmp_path / "noise.yaml"
    own.write_text("ignor: []")
    with pytest.raises(CrewError, match="ignor"):
        refuse_broken_files(Settings(cluster_noise=own))
