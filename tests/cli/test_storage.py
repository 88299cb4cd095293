"""`crew storage forecast`: JSON lines in, JSON lines out, and every broken line named."""

import json
import subprocess
from pathlib import Path

from tests.support.crew_program import crew as crew_program

GOOD = {"id": "data-0", "values": [10, 20, 30, 40, 50], "step": "1d", "capacity": 100}


def crew(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return crew_program(Path.cwd(), "storage", "forecast", *arguments, typed=text)


def test_each_series_gives_one_line(tmp_path) -> None:
    path = tmp_path / "series.jsonl"
    path.write_text(json.dumps(GOOD) + "\n" + json.dumps(GOOD | {"id": "flat", "values": [5, 5, 5]}) + "\n")
    done = crew(str(path), "--json")
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert [set(line) for line in told] == [{"id", "fills", "probability", "days_to_full"}] * 2
    assert [(line["id"], line["fills"]) for line in told] == [("data-0", True), ("flat", False)]
    assert told[1]["days_to_full"] == [None, None, None]


def test_broken_lines_are_named_and_the_others_done() -> None:
    lines = ["no json", json.dumps(GOOD), json.dumps({"id": "x"}), json.dumps(GOOD | {"step": "soon"})]
    done = crew("-", "--json", text="\n".join(lines))
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1
    assert [note.split(" ")[1] for note in done.stderr.splitlines()] == ["-:1:", "-:3:", "-:4:"]


def test_a_horizon_and_a_file_that_make_no_sense(tmp_path) -> None:
    assert crew("-", "--horizon", "soon", text="").returncode == 2
    missing = crew(str(tmp_path / "absent"))
    assert missing.returncode == 1
    assert "cannot be read" in missing.stderr


def test_people_get_words() -> None:
    done = crew("-", text=json.dumps(GOOD))
    assert "FILLS  data-0" in done.stdout


ODD = (
    GOOD | {"values": []},
    GOOD | {"values": [5]},
    GOOD | {"values": [5, -1, 3]},
    GOOD | {"values": [5, float("nan"), 3]},
    GOOD | {"values": [5, "x", 3]},
    GOOD | {"values": [5, None, 3]},
    GOOD | {"values": [1e307, 1e308, 1.5e308], "capacity": 1.7e308},
    {"id": "no capacity", "values": [1, 2, 3]},
    GOOD | {"capacity": 0},
    GOOD | {"step": "1y"},
    GOOD | {"step": 86400},
    GOOD | {"step": "99999999999999d"},
    GOOD | {"step": "9" * 400 + "d"},
    [1, 2],
    None,
)


def test_odd_lines_never_stop_the_others() -> None:
    lines = [json.dumps(line) for line in ODD]
    lines += ["[" * 100_000, '{"id": "a", "values": [1, 2, ' + "9" * 5000 + '], "capacity": 100}']
    done = crew("-", "--json", text="\n".join([*lines, json.dumps(GOOD)]))
    assert done.returncode == 1
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == ["data-0"]
    notes = done.stderr.splitlines()
    assert [note.split(" ")[1] for note in notes] == [f"-:{number}:" for number in range(1, len(lines) + 1)]
    assert "Warning" not in done.stderr


def test_hours_standing_still_and_shrinking_are_understood() -> None:
    series = [
        GOOD | {"id": "hourly", "step": "1h", "values": list(range(1, 31))},
        GOOD | {"id": "constant", "values": [90] * 8},
        GOOD | {"id": "shrinking", "values": [90, 80, 70, 60, 50]},
        GOOD | {"id": "full", "values": [98, 99, 100]},
    ]
    done = crew("-", "--json", text="\n".join(map(json.dumps, series)))
    assert done.returncode == 0
    assert [json.loads(line)["fills"] for line in done.stdout.splitlines()] == [True, False, False, True]


def test_a_horizon_beyond_all_measure_is_written_wrongly() -> None:
    for horizon in ("99999999999999999d", "0d", "-1d", ""):
        assert crew("-", "--horizon", horizon, text=json.dumps(GOOD)).returncode == 2
