"""The changes that `make mutants` makes are real ones: each compiles, and each is another program."""

import ast
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from bench.mutants import MAP_FILE, ROOT, draw, ends_well, measure
from bench.mutations import mutations
from opscrew.strict_yaml import read_strictly

SAMPLE = '''"""A module."""
from __future__ import annotations

STATES: tuple[str, int] = ("ä", "b")
TABLE = {"a": 1, "b": True}


def look(value: int | None = 2, *, strict: bool = False) -> str | None:
    """Looks."""
    if value is None and not strict:
        raise ValueError("ü")
    for one in STATES:
        if one == "ä" or value >= 3:
            continue
        value += 1
    print(value - 1, end="")
    return "x" if value in (1, 2) else None
'''


def changes(text: str) -> list[str]:
    return [f"{one.line} {one.told(text)}" for one in mutations(text)]


def test_each_kind_of_change_is_made_and_nothing_that_is_only_a_type() -> None:
    assert changes(SAMPLE) == [
        '4 "ä", -> (left out)',
        '4 "b" -> (left out)',
        '5 "a": 1, -> (left out)',
        "5 1 -> 2",
        '5 "b": True -> (left out)',
        "5 True -> False",
        "8 2 -> 3",
        "8 False -> True",
        "10 value is None and not strict -> not (value is None and not strict)",
        "10 is -> is not",
        "10 and -> or",
        "10 not strict -> (strict)",
        '11 raise ValueError("ü") -> pass',
        '13 one == "ä" or value >= 3 -> not (one == "ä" or value >= 3)',
        "13 == -> !=",
        "13 or -> and",
        "13 >= -> >",
        "13 3 -> 4",
        "14 continue -> pass",
        "15 value += 1 -> pass",
        "15 1 -> 2",
        '16 print(value - 1, end="") -> pass',
        "16 - -> +",
        "16 1 -> 2",
        '16 end="" -> (left out)',
        '17 return "x" if value in (1, 2) else None -> return None',
        "17 value in (1, 2) -> not (value in (1, 2))",
        "17 in -> not in",
        "17 1 -> 2",
        "17 1, -> (left out)",
        "17 2 -> (left out)",
        "17 2 -> 3",
    ]


def test_what_is_drawn_compiles_is_another_program_and_is_the_same_for_the_same_seed() -> None:
    for module in ("opscrew/actions/policy.py", "opscrew/actions/sending.py"):
        text = (ROOT / module).read_text(encoding="utf-8")
        plain = ast.dump(ast.parse(text))
        drawn = draw(text, "1", 40)
        assert len(drawn) == 40
        assert all(ast.dump(ast.parse(one.applied(text))) != plain for one in drawn)
        assert draw(text, "1", 40) == drawn != draw(text, "2", 40)


def test_the_map_names_tests_and_equivalents_that_exist() -> None:
    known = read_strictly(MAP_FILE)[0]
    for module, tests in known["modules"].items():
        assert [one for one in tests if not (ROOT / one).exists()] == [], module
    for module, entries in known["equivalent"].items():
        text = (ROOT / module).read_text(encoding="utf-8")
        told = {(text.splitlines()[one.line - 1].strip(), one.told(text)) for one in mutations(text)}
        gone = [one for one in entries if not any(one["in"] in line and one["change"] == how for line, how in told)]
        assert gone == [], f"{module}: this change can no longer be made"


def test_what_no_test_notices_survives_unless_it_changes_nothing_and_the_file_is_as_before(
    tmp_path, monkeypatch
) -> None:
    module = tmp_path / "rule.py"
    module.write_text(text := "def rule(a, b):\n    return a > 1 and b\n")

    def notices(tree: Path, _tests: object, _seconds: float) -> bool:
        rule = runpy.run_path(str(tree / "rule.py"))["rule"]
        return not rule(2, True) or bool(rule(0, True))

    monkeypatch.setattr("bench.mutants.ROOT", tmp_path)
    monkeypatch.setattr("bench.mutants.notices", notices)
    result = measure(tmp_path, "rule.py", [], [], seed=1, count=0)
    assert result.survived == ("line 2: > -> >=   in: return a > 1 and b",)
    assert module.read_text() == text
    known = [{"in": "a > 1", "change": "> -> >=", "because": "a test of the driver"}]
    result = measure(tmp_path, "rule.py", [], known, seed=1, count=0)
    assert (result.survived, result.equivalent, result.killable) == ((), 1, result.drawn - 1)
    module.write_text(text.replace("and", "or"))
    with pytest.raises(SystemExit, match="fail without any change"):
        measure(tmp_path, "rule.py", [], [], seed=1, count=0)


def test_what_goes_round_for_ever_is_ended_with_all_that_it_started(tmp_path) -> None:
    (tmp_path / "program.py").write_text(
        "import subprocess, time\n"
        "child = subprocess.Popen(['sleep', '600'])\nopen('child', 'w').write(str(child.pid))\ntime.sleep(600)\n"
    )
    assert not ends_well([sys.executable, "program.py"], tmp_path, 3)
    if (tmp_path / "child").exists():  # on a machine that got so far in the time
        told = subprocess.run(["ps", "-o", "stat=", "-p", (tmp_path / "child").read_text()], capture_output=True)
        assert told.stdout.decode().strip()[:1] in ("", "Z")
    assert ends_well([sys.executable, "-c", ""], tmp_path, 60)
    assert not ends_well([sys.executable, "-c", "raise SystemExit(1)"], tmp_path, 60)
