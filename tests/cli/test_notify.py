"""`crew notify`: tries channels, lists what went out, and never shows an address."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from opscrew import redaction
from opscrew.clock import utc_now
from opscrew.settings import Settings
from opscrew.store.database import open_database
from tests.cli.test_json_names import ROWS, keys_keep_the_rules
from tests.support.crew_command import CrewCommand
from tests.support.http_answers import nobody_listens, status
from tests.support.receiver import TOKEN, receiver
from tests.support.telling import Telling, problem, settings_with


@pytest.fixture
def hook():
    with receiver() as taking:
        yield taking


@pytest.fixture
def crew(monkeypatch, capsys, tmp_path: Path, hook) -> CrewCommand:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, team=hook.url)
    yield CrewCommand(monkeypatch, capsys)
    redaction.forget_own()


def write(folder: Path, **urls: str) -> None:
    channels = []
    for name, url in urls.items():
        (folder / f"{name}.url").write_text(url)
        channels.append({"name": name, "url_file": str(folder / f"{name}.url")})
    (folder / "crew.yaml").write_text(yaml.safe_dump({"notify": {"channels": channels}}))


def test_a_test_arrives_and_says_that_it_is_one(crew, hook) -> None:
    ended = crew("notify", "test", "team")
    assert (ended.code, ended.out.strip()) == (0, "team: JSON: sent")
    assert hook.titles == ["crew can write here"]


def test_a_refused_test_says_what_to_do_and_shows_no_address(crew, hook) -> None:
    hook.faults.append(status(404, TOKEN))
    ended = crew("notify", "test", "--json")
    told = json.loads(ended.out)
    assert ended.code == 1
    assert (told["channel"], told["state"], told["problem"]) == ("team", "failed", "does not let us in (404)")
    assert set(told) == ROWS["notify test"][0]
    assert TOKEN not in ended.out + ended.err


def test_a_channel_that_is_none_is_told_with_those_that_are(crew) -> None:
    ended = crew("notify", "test", "tem")
    assert ended.code == 1
    assert "team" in ended.err


def test_without_a_channel_it_says_how_to_get_one(crew, tmp_path) -> None:
    (tmp_path / "crew.yaml").write_text("")
    ended = crew("notify", "test")
    assert ended.code == 2
    assert "crew init" in ended.err


def test_the_list_shows_what_waits_before_what_was_sent(crew, hook, tmp_path) -> None:
    engine = open_database(Settings().database_url)
    telling = Telling(engine, settings_with(tmp_path, {"team": hook.url}), utc_now)
    telling.tell()
    telling.see(problem("data"))
    hook.faults.append(status(500))
    telling.tell()
    engine.dispose()
    rows = [json.loads(line) for line in crew("notify", "list", "--json").out.splitlines()]
    assert [(row["state"], row["title"]) for row in rows] == [
        ("pending", "New critical: A volume is full"),
        ("sent", "crew tells you here from now on"),
    ]
    assert rows[0]["problem"] == "answered 500"
    keys_keep_the_rules(rows)
    assert set(rows[0]) == ROWS["notify list"][0]
    assert "pending" in crew("notify", "list").out


def test_the_doctor_tries_each_channel_without_sending(crew, hook, tmp_path) -> None:
    with nobody_listens() as closed:
        write(
            tmp_path,
            team=hook.url,
            dead=closed.replace("http", "json") + f"/{TOKEN}",
            wrong=f"nonsense://{TOKEN}",
            empty="",
        )
        levels = doctor(tmp_path)
    assert {name: level for name, (level, _) in levels.items()} == {
        "notify team": "ok",
        "notify dead": "failed",
        "notify wrong": "failed",
        "notify empty": "failed",
    }
    assert TOKEN not in json.dumps(levels)
    assert hook.answers.requests == []


def doctor(folder: Path) -> dict[str, tuple[str, str]]:
    """In a process of its own: it leaves without looking back."""
    import os
    import subprocess
    import sys

    root = Path(__file__).resolve().parents[2]
    ended = subprocess.run(
        [sys.executable, str(root / "main.py"), "doctor", "--json"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    rows = [json.loads(line) for line in ended.stdout.splitlines()]
    return {row["check"]: (row["level"], row["text"]) for row in rows if row["check"].startswith("notify")}
