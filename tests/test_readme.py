"""The README tells the truth: its commands exist, its table equals `crew --help`, its links lead somewhere."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from demo.bitbucket.world import TOKEN
from tests.support.bitbucket import sandbox

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def crew(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("crew")
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=240, check=False)


def commands_of_help() -> dict[str, str]:
    listed = crew("--help").stdout.partition("Commands:\n")[2]
    rows = (line.split(maxsplit=1) for line in listed.splitlines() if line.startswith("  ") and "Example:" not in line)
    return {row[0]: row[1].strip() for row in rows if len(row) == 2}


def test_the_table_of_commands_equals_the_help() -> None:
    table = dict(re.findall(r"^\| `crew ([a-z-]+)[^|]*` \| (.*?) \|$", README, flags=re.MULTILINE))
    assert table == commands_of_help()


def commands_written() -> list[str]:
    blocks = "\n".join(re.findall(r"^```\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE))
    lines = (line.partition("#")[0].strip() for line in blocks.splitlines())
    return [line for line in lines if line.startswith((".venv/bin/crew ", "make "))]


@pytest.mark.parametrize("line", commands_written())
def test_every_command_of_the_readme_exists(line: str) -> None:
    words = shlex.split(line)
    if words[0] == "make":
        assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    else:
        names = [word for word in words[1:] if not word.startswith("-")]
        group = names[:1]
        assert crew(*group, "--help").returncode == 0


def test_the_first_steps_work_in_the_order_in_which_they_are_written(tmp_path: Path) -> None:
    """As a newcomer types them, against a sandbox in place of Bitbucket; the daemon, which runs on, comes last."""
    block = re.search(r"^## Connect your own systems\n.*?^```\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)
    assert block
    *steps, last = [line for line in block[1].splitlines() if line.strip()]
    assert ".venv/bin/crew serve" in last
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    with sandbox() as box:
        ended = subprocess.run(
            ["bash", "-euc", "\n".join(steps)],
            cwd=tmp_path,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT),
                "HOME": str(tmp_path),
                "CREW_DATA_DIR": str(tmp_path / "data"),
                "CREW_BITBUCKET__URL": f"{box.url}/2.0",
            },
            input=TOKEN,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Everything that is configured works." in ended.stdout
    assert "repositories looked at" in " ".join(ended.stdout.split())


def test_links_lead_to_files_of_the_project() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_help_is_not_slowed_down_by_heavy_packages() -> None:
    """The time itself is measured by the benchmark; what makes it slow is imported here or not."""
    heavy = (
        "pydantic",
        "sqlalchemy",
        "crewai",
        "litellm",
        "chromadb",
        "mcp",
        "fastapi",
        "httpx",
        "numpy",
        "rich.console",
    )
    code = f"import sys, main; print([name for name in {heavy!r} if name in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
