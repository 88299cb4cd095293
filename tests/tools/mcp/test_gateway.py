"""The gateway over a real process that behaves badly: what a call costs, what is left behind, who is asked twice."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.support.daemon import until
from tools.errors import UpstreamError
from tools.mcp import session, stdio
from tools.mcp.gateway import Gateway
from tools.mcp.servers import ServerEntry, resolve

PROGRAM = Path(__file__).resolve().parents[2] / "support" / "mcp_program.py"


def gateway(folder: Path, *faults: str, **changes: object) -> Gateway:
    values = {
        "title": "a program",
        "command": [sys.executable, str(PROGRAM), str(folder), *faults],
        "tools": {"echo": None, "environment": None, "sleep": None, "crash": None, "change": {"mutates": True}},
        "timeout_seconds": 60,
        "start_seconds": 60,
    } | changes
    entry = ServerEntry.model_validate(values)
    return Gateway([resolve("program", entry, lambda name: None)], clean=lambda text: text.replace("hunter2", "[x]"))


def notes(folder: Path, beginning: str) -> list[str]:
    path = folder / "notes"
    return [line for line in path.read_text().splitlines() if line.startswith(beginning)] if path.exists() else []


def is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def test_nothing_starts_before_the_first_question_and_then_one_process_serves_all(tmp_path) -> None:
    with gateway(tmp_path) as opened:
        assert notes(tmp_path, "start") == []
        answers = [opened.call("program", "echo", {"text": f"hello {n}"}).text for n in range(5)]
        assert answers == [f"hello {n}" for n in range(5)]
        assert len(notes(tmp_path, "start")) == 1


def test_garbage_on_standard_output_does_no_harm(tmp_path) -> None:
    with gateway(tmp_path, "garbage") as opened:
        assert opened.call("program", "echo", {"text": "still here"}).text == "still here"


def test_the_process_sees_only_its_own_environment(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("CREW_BITBUCKET__TOKEN", "our-secret-token")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    monkeypatch.setenv("DO_NOT_TRACK", "1")
    with gateway(tmp_path, environment={"GIVEN": "yes"}, result_characters=50_000) as opened:
        text = opened.call("program", "environment", {}).text
    assert "GIVEN" in text
    assert "PATH" in text
    assert "DO_NOT_TRACK" in text
    assert "our-secret-token" not in text
    assert "another" not in text


def test_secrets_are_taken_out_of_answers(tmp_path) -> None:
    with gateway(tmp_path) as opened:
        assert opened.call("program", "echo", {"text": "password hunter2"}).text == "password [x]"


def test_a_call_that_hangs_ends_at_its_deadline_and_the_session_goes_on(tmp_path) -> None:
    with gateway(tmp_path) as opened:
        opened.tools("program")
        started = time.monotonic()
        slow = opened.call("program", "sleep", {"seconds": 60}, seconds=1)
        assert slow.status == "error"
        assert "no answer within 1 s" in slow.text
        assert time.monotonic() - started < 20, "the tool would sleep for a minute"
        assert opened.call("program", "echo", {"text": "next"}).text == "next"
        assert len(notes(tmp_path, "start")) == 1


def test_a_server_that_never_answers_costs_its_start_time_once(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(session, "SHORTEST_PAUSE", 600)  # more than lies between two calls
    begun: list[str] = []
    start = stdio._start

    async def counted(name, *how):
        begun.append(name)
        return await start(name, *how)

    monkeypatch.setattr(stdio, "_start", counted)
    with gateway(tmp_path, "silent", start_seconds=1) as opened:
        first = opened.call("program", "echo", {"text": "x"})
        assert "not ready within 1 s" in first.text
        second = opened.call("program", "echo", {"text": "x"})
        assert "is down (not ready within 1 s)" in second.text
    assert begun == ["program"], "the second call would have started it anew, and waited for it"


def test_a_call_that_kills_the_server_is_asked_once_more_and_then_told(tmp_path) -> None:
    with gateway(tmp_path) as opened:
        opened.tools("program")
        result = opened.call("program", "crash", {})
        assert result.status == "error"
        assert "panic: out of coffee" in result.text
        assert len(notes(tmp_path, "call:crash")) == 2
        assert opened.call("program", "echo", {"text": "back"}).text == "back"


def test_a_server_that_died_while_idle_is_started_again_without_anybody_noticing(tmp_path) -> None:
    with gateway(tmp_path) as opened:
        opened.tools("program")
        os.kill(int(notes(tmp_path, "start")[0].split()[1]), 9)
        time.sleep(0.3)
        assert opened.call("program", "echo", {"text": "again"}).text == "again"
        assert len(notes(tmp_path, "start")) == 2


def test_what_changes_something_is_refused_and_never_repeated(tmp_path) -> None:
    with gateway(tmp_path, tools={"change": {"mutates": True}, "crash": {"mutates": True}}) as opened:
        refused = opened.call("program", "change", {})
        assert refused.status == "error"
        assert notes(tmp_path, "call:") == []
        assert opened.call("program", "change", {}, allow_changes=True).text == "done"
        opened.call("program", "crash", {}, allow_changes=True)
        assert len(notes(tmp_path, "call:crash")) == 1


def test_a_tool_that_is_not_listed_cannot_be_called(tmp_path) -> None:
    with gateway(tmp_path) as opened:
        result = opened.call("program", "secret_tool", {}, allow_changes=True)
        assert "not among the tools" in result.text
        assert [tool.name for tool in opened.tools("program")] == ["echo", "environment", "sleep", "crash", "change"]
        assert opened.unlisted("program") == ("secret_tool",)


def test_closing_leaves_no_process_behind(tmp_path) -> None:
    with gateway(tmp_path, "child", "deaf") as opened:
        opened.tools("program")
    pids = [int(line.split()[1]) for line in notes(tmp_path, "start")]
    pids += [int(line.split()[0].split(":")[1]) for line in notes(tmp_path, "child")]
    assert len(pids) == 2
    deadline = time.monotonic() + 60
    while any(is_alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [pid for pid in pids if is_alive(pid)] == []


def test_closing_while_a_server_is_being_ended_leaves_no_process_behind(tmp_path) -> None:
    """A server that was not ready in time is being asked to end, and is deaf to that, when the gateway closes."""
    opened = gateway(tmp_path, "silent", "deaf", "child", start_seconds=1)
    asking = threading.Thread(target=opened.call, args=("program", "echo", {"text": "x"}))
    asking.start()
    until(lambda: notes(tmp_path, "left alone"))
    opened.close()
    asking.join(30)
    pids = [int(line.split()[1]) for line in notes(tmp_path, "start")]
    pids += [int(line.split()[0].split(":")[1]) for line in notes(tmp_path, "child")]
    until(lambda: not any(is_alive(pid) for pid in pids))


def test_closing_while_a_server_is_being_started_again_leaves_nothing_running(tmp_path) -> None:
    """The call that found the server stuck has it ended and started anew; closing comes in between."""
    answers: list[str] = []
    opened = gateway(tmp_path, "stuck", "deaf")
    opened.tools("program")
    live = opened._sessions["program"]._live
    opened.call("program", "sleep", {"seconds": 60}, seconds=1)
    loop = opened._loop
    assert loop is not None
    asking = threading.Thread(target=lambda: answers.append(opened.call("program", "echo", {"text": "x"}).text))
    asking.start()
    until(live.stop.is_set)  # it is being ended, and is deaf to that for some seconds
    opened.close()
    asking.join(60)
    assert not asking.is_alive()
    assert answers == ["program: the gateway was closed"]
    assert asyncio.all_tasks(loop) == set()
    assert len(notes(tmp_path, "start")) == 1


def test_a_process_whose_end_is_cut_short_holds_nothing_of_the_loop() -> None:
    """Else what is left of it complains, whenever memory is cleaned up, that its loop is closed."""

    async def cut_short() -> bool:
        process = await stdio._start("sleeper", [sys.executable, "-c", "import time; time.sleep(300)"], {}, None)
        ending = asyncio.create_task(stdio._end(process))
        await asyncio.sleep(0.1)
        ending.cancel()
        await asyncio.wait({ending})
        return bool(process._transport.is_closing())  # type: ignore[attr-defined]

    assert asyncio.run(cut_short())


def test_a_closed_gateway_starts_nothing_and_says_so(tmp_path) -> None:
    opened = gateway(tmp_path)
    opened.close()
    assert opened.call("program", "echo", {"text": "x"}).text == "program: the gateway was closed"
    assert opened.state("program").detail == "the gateway was closed"
    assert notes(tmp_path, "start") == []


def test_many_threads_share_one_session(tmp_path) -> None:
    answers: list[str] = []
    with gateway(tmp_path) as opened:

        def ask(number: int) -> None:
            answers.append(opened.call("program", "echo", {"text": f"n{number}"}).text)

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(answers) == sorted(f"n{number}" for number in range(12))
    assert len(notes(tmp_path, "start")) == 1


def test_a_program_that_is_not_there_is_named(tmp_path) -> None:
    with gateway(tmp_path, command=["no-such-program-anywhere"]) as opened:
        state = opened.state("program")
        assert state.condition == "down"
        assert "no-such-program-anywhere is not installed" in state.detail
        with pytest.raises(UpstreamError):
            opened.tools("program")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/mcp", "http://127.0.0.1:1/mcp"])
def test_an_address_where_nobody_listens_fails_at_once(tmp_path, url) -> None:
    started = time.monotonic()
    with gateway(tmp_path, command=[], url=url) as opened:
        result = opened.call("program", "echo", {"text": "x"})
    assert result.status == "error"
    assert "program:" in result.text
    assert time.monotonic() - started < 30, "a start may take a minute"
