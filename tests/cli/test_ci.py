"""`crew ci explain` as people and scripts run it: exit codes, clear errors, and JSON that stands alone."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from main import program

LOG = "\n".join(
    [*(f"Downloading part {number}" for number in range(50)), "$ make", "parser.c:4:1: error: no value", ""]
)


@dataclass(frozen=True)
class Done:
    """What a run of the program left."""

    code: int
    out: str
    err: str


Crew = Callable[..., Done]


@pytest.fixture
def crew(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Crew:
    """Runs the program's own entry point in this process, which is many times faster than a new one each time."""

    def run(*arguments: object, stdin: bytes = b"") -> Done:
        monkeypatch.setattr("sys.argv", ["crew", "ci", "explain", *map(str, arguments)])
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(stdin))))  # type: ignore[arg-type]
        with pytest.raises(SystemExit) as ended:
            program()
        written = capsys.readouterr()
        return Done(int(ended.value.code or 0), written.out, written.err)

    return run


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "step.log"
    path.write_text(LOG, encoding="utf-8")
    return path


def test_json_is_one_object_a_line_with_line_numbers_best_first(crew: Crew, log: Path) -> None:
    packed = log.with_suffix(".log.gz")
    packed.write_bytes(gzip.compress(LOG.encode()))
    done = crew(log, packed, "--json")
    plain, unpacked = (json.loads(line) for line in done.out.splitlines())
    assert done.code == 0
    assert plain["file"] == str(log)
    assert plain["n_lines"] == LOG.count("\n") + 1
    assert 52 in plain["lines"]
    assert unpacked["lines"] == plain["lines"], "gzip is unpacked on the way"


def test_text_shows_numbered_lines_within_80_columns(crew: Crew, log: Path) -> None:
    done = crew(log)
    lines = done.out.splitlines()
    assert any(line.startswith("52  parser.c:4:1: error") for line in lines)
    assert max(map(len, lines)) <= 80


def test_standard_input_and_a_passing_log(crew: Crew, log: Path, tmp_path: Path) -> None:
    passing = tmp_path / "passing.log"
    passing.write_text(LOG.replace("parser.c:4:1: error: no value", "built"), encoding="utf-8")
    done = crew("-", "--passing", passing, "--json", stdin=log.read_bytes())
    found = json.loads(done.out)
    assert found["file"] == "-"
    assert found["lines"][0] == 52


def test_the_budget_is_kept(crew: Crew, log: Path) -> None:
    assert len(json.loads(crew(log, "--budget", 1, "--json").out)["lines"]) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["absent.log"], 1, "absent.log"),
        (["."], 1, "directory"),
        (["README.md", "--budget", "0"], 2, "at least one line"),
        (["README.md", "--budget", "-4"], 2, "at least one line"),
        (["README.md", "--budget", "many"], 2, "--budget"),
        (["-", "-"], 2, "only once"),
        (["a.log", "b.log", "--passing", "c.log"], 2, "one log"),
        ([], 2, "FILE"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(crew: Crew, arguments: list[str], code: int, said: str) -> None:
    done = crew(*arguments)
    assert done.code == code
    assert said.lower() in done.err.lower()
    assert "Traceback" not in done.err
    assert done.out == ""


def test_a_damaged_gzip_file_is_named_and_the_next_log_is_still_explained(
    crew: Crew, log: Path, tmp_path: Path
) -> None:
    damaged = tmp_path / "half.gz"
    damaged.write_bytes(gzip.compress(LOG.encode() * 50)[:-40])
    done = crew(damaged, log, "--json")
    assert done.code == 1
    assert "half.gz" in done.err
    assert json.loads(done.out)["file"] == str(log)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty."),
        (b"\n \n", "empty."),
        (
            b"+ umask 000\n\n+ chmod 777 $BUILD_DIR\n\n+ ./check.sh\n",
            "6 lines of the CI system's own; the script printed",
        ),
        (b"\x7fELF\x02\x01\x01" + bytes(200), "no text, so nothing of it is shown."),
        ("error: utf-16\n".encode("utf-16"), "no text, so nothing of it is shown."),
        (b"\0" + b"error: a stray NUL\n" * 9, "error: a stray NUL"),
    ],
)
def test_a_log_without_words_is_told_in_one_line(crew: Crew, tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "step.log"
    for data in (content, gzip.compress(content)):
        path.write_bytes(data)
        done = crew(path)
        assert done.code == 0
        assert said in done.out
        assert len(done.out.strip().splitlines()) == 1 or "stray" in said
