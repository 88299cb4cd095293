"""deploy/bootstrap.sh chooses between uv and pip, and does nothing when nothing changed. Installers are stand-ins here:
what they would install takes a minute and is seen by every run of the tests on a new machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[2]
PYTHON = """#!/bin/sh
case "$2" in
  venv) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
  pip) echo "pip $*" >> calls ;;
esac
"""
OLD = '#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.1 && exit 0\nexit 1\n'
OTHERS = ("python3.11", "python3.12", "python3.13")
UV = """#!/bin/sh
echo "uv $*" >> calls
[ "$1" = venv ] && mkdir -p .venv/bin
exit {status}
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "deploy").mkdir()
    shutil.copy(ROOT / "deploy" / "bootstrap.sh", tmp_path / "deploy")
    for name in ("requirements.lock", "pyproject.toml"):
        (tmp_path / name).write_text(name)
    program(tmp_path / "bin" / "python3", PYTHON)
    return tmp_path


def program(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def bootstrap(checkout: Path) -> tuple[subprocess.CompletedProcess[str], str]:
    """Runs it with no other program than the system's own and the stand-ins; gives its end and what was called."""
    environment = {"PATH": f"{checkout / 'bin'}:/usr/bin:/bin", "HOME": os.environ.get("HOME", "/")}
    command = ["bash", str(checkout / "deploy" / "bootstrap.sh")]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)
    calls = checkout / "calls"
    return ended, calls.read_text() if calls.exists() else ""


def test_uv_is_taken_where_it_is_and_the_second_time_is_nothing(checkout: Path) -> None:
    program(checkout / "bin" / "uv", UV.format(status=0))
    ended, calls = bootstrap(checkout)
    assert ended.returncode == 0, ended.stderr
    assert "--require-hashes" in calls
    assert "pip -m" not in calls  # the stand-in of pip would say so
    assert bootstrap(checkout)[1] == calls


def test_settings_of_linters_install_nothing_anew_and_a_new_dependency_does(checkout: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", checkout)
    program(checkout / "bin" / "uv", UV.format(status=0))
    _, calls = bootstrap(checkout)
    text = (checkout / "pyproject.toml").read_text()
    contract = '\n[[tool.importlinter.contracts]]\nname = "another"\n'
    (checkout / "pyproject.toml").write_text(text.replace("line-length = 120", "line-length = 100") + contract)
    assert (checkout / "pyproject.toml").read_text() != text
    ended, after = bootstrap(checkout)
    assert (ended.returncode, after) == (0, calls), "nothing was installed"
    (checkout / "pyproject.toml").write_text(text.replace("dependencies = [", 'dependencies = [\n  "one-more",', 1))
    assert (checkout / "pyproject.toml").read_text() != text
    _, after = bootstrap(checkout)
    assert len(after) > len(calls)


def test_without_uv_pip_does_it(checkout: Path) -> None:
    if shutil.which("uv", path="/usr/bin:/bin"):
        pytest.skip("uv is installed among the system's own programs here")
    ended, calls = bootstrap(checkout)
    assert ended.returncode == 0, ended.stderr
    assert "--require-hashes" in calls


def test_a_uv_that_fails_is_no_reason_to_stop(checkout: Path) -> None:
    program(checkout / "bin" / "uv", UV.format(status=3))
    ended, calls = bootstrap(checkout)
    assert ended.returncode == 0, ended.stderr
    assert "going on with pip" in ended.stdout
    assert calls.startswith("uv venv")
    assert "--require-hashes" in calls


def test_an_error_names_its_fix(checkout: Path) -> None:
    for name in ("python3", *OTHERS):
        program(checkout / "bin" / name, OLD)
    ended, calls = bootstrap(checkout)
    assert ended.returncode == 1
    assert "error: Python 3.11, 3.12 or 3.13 is needed; here is Python 3.9.1" in ended.stderr
    assert "fix:   install one of them" in ended.stderr
    assert calls == ""


def test_a_python3_that_does_not_fit_gives_way_to_one_beside_it(checkout: Path) -> None:
    for name in ("python3", "python3.13", "python3.11"):
        program(checkout / "bin" / name, OLD)
    program(checkout / "bin" / "python3.12", PYTHON)
    ended, calls = bootstrap(checkout)
    assert ended.returncode == 0, ended.stderr
    assert "Taking python3.12: Python 3.9.1 does not fit." in ended.stdout
    assert calls


@pytest.mark.parametrize(
    ("version", "fits"), [((3, 10, 9), False), ((3, 11, 0), True), ((3, 13, 9), True), ((3, 14, 0), False)]
)
def test_which_versions_fit(version: tuple[int, ...], fits: bool) -> None:
    """The very expression of the script, asked of versions that are not on this machine."""
    script = (ROOT / "deploy" / "bootstrap.sh").read_text()
    expression = re.search(r"sys\.exit\(not (.*)\)'", script)
    assert expression is not None
    assert eval(expression[1], {"sys": SimpleNamespace(version_info=version)}) is fits
    allowed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert (".".join(map(str, version)) in SpecifierSet(allowed)) is fits
