"""What a question may cost holds whatever the model does, and nobody waits for a model that cannot be done in time."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from crews.team.account import Account
from crews.team.budget import Ending, RunBudget, RunControl, RunOver
from crews.team.completion import Completion
from crews.team.pace import FORGOTTEN_AFTER, Paces
from crews.team.state import Condition
from demo.ollama.script import answers, calls, says
from opscrew.memory.prompt_view import estimated_tokens
from tests.support.model_host import LOG, import_libraries, log_tool, team_with

PACKET = "E1: pipeline shop#42 failed at 10:02\nE2: step Test ended with exit code 1"


@pytest.fixture(scope="module", autouse=True)
def libraries_are_imported(tmp_path_factory: pytest.TempPathFactory) -> None:
    import_libraries(tmp_path_factory.mktemp("import"))


def ask(setup, account: Account, seconds: float = 240, **how):
    control = RunControl(RunBudget(deadline_seconds=seconds), account=account)
    how.setdefault("tools", [log_tool()])
    return setup.reasoner.reason("answer_question", PACKET, "Why?", role="ci_engineer", control=control, **how)


def account(tokens: int = 2_000, made: int = 2) -> Account:
    return Account(tokens, made, estimated_tokens)


@pytest.mark.parametrize(
    "script",
    [
        (answers("", missing=[LOG]), calls(LOG, {"step": "Test"}), calls(LOG, {"step": "Build"})),
        (answers("", missing=[LOG]), calls("no_such_tool", {}), calls("no_such_tool", {})),
        (answers("", missing=[LOG]), says(""), answers("It failed (E1).")),
        (says(""), says(""), says("")),
        (says("It ", cut_after=0), says("It ", cut_after=0), says("It ", cut_after=0)),
        (says("{" * 300), says("{" * 300), says("{" * 300)),
        (says("", status=500, error="out of memory"),) * 3,
    ],
)
def test_two_calls_are_all_whatever_the_model_does(tmp_path: Path, script) -> None:
    with team_with(tmp_path, *script) as setup:
        result = ask(setup, account())
        assert len(setup.script.asked) <= 2
    assert result.calls <= 2
    assert result.ended_because is not Ending.ANSWERED or result.text == ""


def test_the_packet_of_a_second_call_is_cut_to_what_the_first_has_left(tmp_path: Path) -> None:
    lines = "\n".join(f"E{number}: the pod web-{number} restarted {number * 7} times" for number in range(1, 70))
    spending = account()
    with team_with(tmp_path, answers("", missing=[LOG]), calls(LOG, {"step": "Test"})) as setup:
        control = RunControl(RunBudget(deadline_seconds=240), account=spending)
        how = {"role": "ci_engineer", "control": control, "tools": [log_tool()]}
        result = setup.reasoner.reason("answer_question", lines, "Why?", **how)
        sent = [json.dumps([one["messages"], one.get("tools")]) for one in setup.script.asked]
    assert sum(map(len, sent)) / 4 < 2_600, "of bytes with their frame"
    assert all("left out because they do not fit" in text for text in sent[1:])
    assert result.prompt_tokens <= 2_000


def test_a_prompt_that_does_not_fit_is_not_sent(tmp_path: Path) -> None:
    with team_with(tmp_path, answers("Yes (E1).")) as setup:
        result = ask(setup, account(tokens=100))
        assert setup.script.asked == []
    assert (result.ended_because, result.calls, result.state.ready) == (Ending.TOKENS, 0, True)


def test_with_one_call_left_no_tool_is_offered(tmp_path: Path) -> None:
    with team_with(tmp_path, answers("It failed (E1).", missing=[LOG])) as setup:
        assert ask(setup, account(made=1)).text == "It failed (E1)."
        assert "missing" not in setup.script.asked[0]["format"]["properties"]


def test_a_question_that_was_given_up_asks_nothing_more(tmp_path: Path) -> None:
    spending = account()
    spending.cancel()
    with team_with(tmp_path, answers("Yes (E1).")) as setup:
        assert ask(setup, spending).ended_because is Ending.CANCELLED
        assert setup.script.asked == []


def test_a_host_that_counts_more_than_we_do_leaves_less_for_the_next_call() -> None:
    spending = account()
    spending.correct(spending.book(500), 1_000)
    assert spending.tokens_left == 500
    with pytest.raises(RunOver):
        spending.check(501)
    spending.check(500)
    assert spending.ratio == 2.0


def test_a_model_without_a_word_by_its_share_of_the_time_is_not_waited_for(tmp_path: Path) -> None:
    with team_with(tmp_path, says("", hang=True)) as setup:
        result = ask(setup, account(), seconds=4)
        assert (result.ended_because, result.state.condition) == (Ending.SLOW, Condition.SLOW)
        assert result.seconds < 60, "the host would hang for ever"
        assert ask(setup, account(), seconds=4).ended_because is Ending.SLOW
        third = ask(setup, account(), seconds=4)
        assert len(setup.script.asked) == 2
    assert (third.ended_because, third.calls) == (Ending.SLOW, 0)
    assert "2 questions in a row" in third.state.detail


def test_a_model_that_is_known_to_be_too_slow_is_not_even_asked(tmp_path: Path) -> None:
    with team_with(tmp_path, answers("Yes (E1).")) as setup:
        setup.reasoner.hosts.pace.note(said(seconds=200, first=100, written=40), 1_000, 1.0)
        result = ask(setup, account(), seconds=60)
        assert setup.script.asked == []
        assert (result.ended_because, result.state.condition) == (Ending.SLOW, Condition.SLOW)
        assert ask(setup, account(), seconds=2_000).text == "Yes (E1)."


def said(text: str = "x", *, seconds: float, first: float, written: int) -> Completion:
    return Completion(text, (), 1_000, written, "stop", None, seconds, True, first)


def test_the_pace_is_kept_for_the_next_process_and_forgotten_after_a_while(tmp_path: Path) -> None:
    now = [1_000.0]
    Paces(tmp_path, "ollama_chat/x", lambda: now[0]).note(said(seconds=24, first=20, written=40), 1_000, 1.2)
    other = Paces(tmp_path, "ollama/x", lambda: now[0])
    assert (other.last().read, other.last().written, other.last().ratio) == (50.0, 10.0, 1.2)
    assert other.last().seconds_for(1_000, 40) == 24
    assert "24 s" in other.too_slow(1_000, 20)
    assert other.too_slow(1_000, 25) == ""
    assert Paces(tmp_path, "ollama/y", lambda: now[0]).too_slow(1_000, 1) == ""
    now[0] += FORGOTTEN_AFTER
    assert other.too_slow(1_000, 1) == ""
    assert other.last().ratio == 1.2, "a tokenizer does not change with the hour"
    (file,) = tmp_path.rglob("pace.json")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", "{", "[]", '{"x": 3}', '{"x": {"read": 1, "speed": 2}}', "\x00"])
def test_a_damaged_pace_is_none(tmp_path: Path, content: str) -> None:
    pace = Paces(tmp_path, "ollama/x")
    pace.note(said(seconds=2, first=1, written=4), 100, 1.0)
    (file,) = tmp_path.rglob("pace.json")
    file.write_text(content, encoding="utf-8")
    assert pace.too_slow(1_000, 1) == ""
