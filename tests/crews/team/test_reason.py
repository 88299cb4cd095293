"""Every way in which a model misbehaves ends in a useful answer, or in a named state, before the deadline."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from crews.team import provider
from crews.team.budget import Ending, RunBudget, RunControl
from crews.team.queue import Priority
from crews.team.reason import Reasoner
from crews.team.state import Condition
from crews.team.toolbox import ToolResult
from demo.ollama.app import create_app
from demo.ollama.script import Script, answers, calls, says
from demo.serving import serve
from opscrew.errors import UsageError
from opscrew.settings import ModelSettings
from tests.support.daemon import until
from tests.support.model_host import LOG, import_libraries, log_tool, team_with

PACKET = "E1: pipeline shop#42 failed at 10:02\nE2: step Test ended with exit code 1"
QUESTION = "Why did shop#42 fail?"
ASKS_FOR_LOG = answers("", missing=[LOG])
MANY_SENTENCES = " ".join(f"Sentence {number} tells of step {number * 7}." for number in range(120))


@pytest.fixture(scope="module", autouse=True)
def libraries_are_imported(tmp_path_factory: pytest.TempPathFactory) -> None:
    import_libraries(tmp_path_factory.mktemp("import"))


def ask(setup, seconds: float = 120, **how):
    """Only where a deadline is what is tried is it a short one."""
    how.setdefault("budget", RunBudget(deadline_seconds=seconds))
    how.setdefault("tools", [log_tool()])
    return setup.reasoner.reason("answer_question", PACKET, QUESTION, role="ci_engineer", **how)


def since_the_host_was_asked(script: Script, seconds: float) -> RunControl:
    """Time that stands still until the request has arrived: before that only the machine is measured."""
    begun: list[float] = []

    def clock() -> float:
        if not script.asked:
            return 0.0
        begun.append(time.monotonic())
        return begun[-1] - begun[0]

    return RunControl(RunBudget(deadline_seconds=seconds), clock)


def test_the_packet_alone_is_answered_in_one_call_without_tools(tmp_path: Path) -> None:
    heard: list[str] = []
    with team_with(tmp_path, answers("The step Test failed (E2).", cited=["E2"])) as setup:
        result = ask(setup, on_token=heard.append)
    assert (result.text, result.ended_because, result.calls) == ("The step Test failed (E2).", Ending.ANSWERED, 1)
    assert result.structured == {"missing": [], "answer": "The step Test failed (E2).", "cited": ["E2"]}
    assert "".join(heard) == result.text
    assert len(heard) > 2
    assert result.prompt_tokens > 0
    assert result.state.ready
    asked = setup.script.asked[0]
    assert "tools" not in asked
    assert (asked["think"], asked["truncate"], asked["keep_alive"]) == (False, False, "30m")
    assert asked["options"]["num_ctx"] == 8192
    assert asked["format"]["properties"]["missing"]["items"]["enum"] == [LOG]


def test_only_what_the_model_named_is_offered_in_the_second_call(tmp_path: Path) -> None:
    other = log_tool(name="bitbucket_list_steps")
    script = (ASKS_FOR_LOG, calls(LOG, {"step": "Test"}), says("The npm registry answered 503 (T1)."))
    with team_with(tmp_path, *script) as setup:
        result = ask(setup, tools=[log_tool(), other])
    assert result.text == "The npm registry answered 503 (T1)."
    assert result.calls == 3
    assert [tool["function"]["name"] for tool in setup.script.asked[1]["tools"]] == [LOG]
    assert [(call.id, call.arguments, call.failed) for call in result.tool_calls] == [("T1", {"step": "Test"}, False)]
    assert "npm ERR! 503" in setup.script.asked[2]["messages"][-1]["content"]


def test_the_beginning_of_the_prompt_is_the_same_for_every_question(tmp_path: Path) -> None:
    with team_with(tmp_path, answers("Yes (E1).")) as setup:
        ask(setup)
        setup.reasoner.reason("answer_question", "E1: another fact", "And now?", role="ci_engineer", tools=[log_tool()])
    first, second = (json.dumps(asked["messages"]) for asked in setup.script.asked)
    same = next(index for index, (a, b) in enumerate(zip(first, second, strict=False)) if a != b)
    assert first[:same].endswith("Evidence:\\nE1: ")


def test_the_same_call_for_ever_ends_by_patience_with_an_answer(tmp_path: Path) -> None:
    again = calls(LOG, {"step": "Test"})

    def loop_then_answer(asked):
        return answers("The registry failed (T1).")(asked) if "tools" not in asked else again(asked)

    ran: list[dict] = []
    tool = log_tool(lambda arguments: ran.append(arguments) or ToolResult("npm 503"))
    with team_with(tmp_path, ASKS_FOR_LOG, loop_then_answer) as setup:
        result = ask(setup, tools=[tool])
    assert (result.text, result.ended_because) == ("The registry failed (T1).", Ending.PATIENCE)
    assert ran == [{"step": "Test"}]
    assert result.calls <= 7
    assert "T1: " + LOG in setup.script.asked[-1]["messages"][-1]["content"]


def test_eight_equal_calls_in_one_turn_run_the_tool_once(tmp_path: Path) -> None:
    ran: list[dict] = []

    def slowly(arguments):
        time.sleep(0.1)
        ran.append(arguments)
        return ToolResult("npm 503")

    script = (ASKS_FOR_LOG, calls(LOG, {"step": "Test"}, times=8), answers("The registry failed (T1)."))
    with team_with(tmp_path, *script) as setup:
        result = ask(setup, tools=[log_tool(slowly)])
    assert len(ran) == 1
    assert result.text == "The registry failed (T1)."


@pytest.mark.parametrize("arguments", ["{not json", ["a", "list"], {"wrong": 1}, {"step": {"deep": []}}, {}])
def test_malformed_arguments_never_reach_the_tool(tmp_path: Path, arguments: object) -> None:
    def wrong_then_answer(asked):
        return answers("It failed (E2).")(asked) if "tools" not in asked else calls(LOG, arguments)(asked)

    ran: list[dict] = []
    with team_with(tmp_path, ASKS_FOR_LOG, wrong_then_answer) as setup:
        result = ask(setup, tools=[log_tool(lambda given: ran.append(given) or ToolResult("x"))])
    assert ran == []
    assert result.text == "It failed (E2)."
    assert result.calls <= 6


def test_a_tool_that_does_not_exist_costs_patience_only(tmp_path: Path) -> None:
    def invented(asked):
        return answers("It failed (E2).")(asked) if "tools" not in asked else calls("delete_cluster", {})(asked)

    with team_with(tmp_path, ASKS_FOR_LOG, invented) as setup:
        result = ask(setup)
    assert (result.text, result.ended_because) == ("It failed (E2).", Ending.PATIENCE)


@pytest.mark.parametrize(
    "text",
    [
        f'<tool_call>{{"name": "{LOG}", "arguments": {{"step": "Test"}}}}</tool_call>',
        f'I will look.\n```json\n{{"name": "{LOG}", "parameters": {{"step": "Test"}}}}\n```',
        f'Thought: look\nAction: {LOG}\nAction Input: {{"step": "Test"}}\n',
    ],
)
def test_a_tool_call_written_as_text_is_made(tmp_path: Path, text: str) -> None:
    with team_with(tmp_path, ASKS_FOR_LOG, says(text), says("The registry failed (T1).")) as setup:
        result = ask(setup)
    assert result.text == "The registry failed (T1)."
    assert [call.arguments for call in result.tool_calls] == [{"step": "Test"}]


def test_a_tool_that_changes_something_is_neither_offered_nor_run(tmp_path: Path) -> None:
    ran: list[dict] = []
    tool = log_tool(lambda given: ran.append(given) or ToolResult("done"), mutates=True)
    with team_with(tmp_path, answers("It failed (E2).", missing=[LOG])) as setup:
        result = ask(setup, tools=[tool])
    assert ran == []
    assert "missing" not in setup.script.asked[0]["format"]["properties"]
    assert result.text == "It failed (E2)."


def test_a_tool_that_another_role_has_is_not_offered(tmp_path: Path) -> None:
    with team_with(tmp_path, answers("I do not know; I looked at E1.")) as setup:
        ask(setup, tools=[log_tool(name="kubernetes_pods_log")])
    assert "pods_log" not in json.dumps(setup.script.asked[0])


def test_a_tool_that_hangs_does_not_take_the_run_with_it(tmp_path: Path) -> None:
    script = (ASKS_FOR_LOG, calls(LOG, {"step": "Test"}), answers("It failed; the log was not to be had (E2)."))
    with team_with(tmp_path, *script) as setup:
        # Tools get the first six seconds; the answer after them as long as it needs.
        budget = RunBudget(deadline_seconds=60, final_share=0.9)
        result = ask(setup, budget=budget, tools=[log_tool(lambda given: time.sleep(90))])
    assert result.seconds < 60
    assert result.text.startswith("It failed")
    assert "no answer within" in result.tool_calls[0].text


@pytest.mark.parametrize("host", [says(hang=True), says("late", silent_seconds=60), says("{", hang=True)])
def test_a_host_that_hangs_ends_at_the_deadline_and_hears_of_it(tmp_path: Path, host) -> None:
    with team_with(tmp_path, host) as setup:
        result = ask(setup, control=since_the_host_was_asked(setup.script, 3))
        until(lambda: setup.script.cut)
    assert 2.9 < result.seconds < 30, "the host would hang for a minute or for ever"
    assert (result.text, result.ended_because) == ("", Ending.DEADLINE)
    assert result.state.condition is Condition.SLOW
    assert setup.script.cut == 1


def test_libraries_that_take_the_whole_time_to_start_are_no_call(tmp_path: Path, monkeypatch) -> None:
    build = provider.Provider

    def slowly(*arguments):
        time.sleep(2)
        return build(*arguments)

    monkeypatch.setattr(provider, "Provider", slowly)
    with team_with(tmp_path, answers("The step Test failed (E2).")) as setup:
        result = ask(setup, seconds=1.9)
        assert (result.text, result.calls, result.ended_because) == ("", 0, Ending.DEADLINE)
        assert setup.script.asked == []
        assert ask(setup).text == "The step Test failed (E2)."


def test_ten_tokens_a_second_give_the_beginning_of_an_answer_at_the_deadline(tmp_path: Path) -> None:
    heard: list[str] = []
    with team_with(tmp_path, answers(MANY_SENTENCES, tokens_per_second=10)) as setup:
        result = ask(setup, control=since_the_host_was_asked(setup.script, 5), on_token=heard.append)
    assert result.seconds < 30, "the whole answer would take over a minute"
    assert (result.ended_because, result.cut) == (Ending.DEADLINE, True)
    assert result.text.startswith("Sentence 0 tells of step 0. Sentence 1")
    assert "".join(heard).startswith(result.text)


def test_a_connection_that_breaks_before_a_word_is_tried_once_more(tmp_path: Path) -> None:
    with team_with(tmp_path, answers("x y z", cut_after=1), answers("It failed (E2).")) as setup:
        result = ask(setup)
    assert (result.text, result.ended_because, len(setup.script.asked)) == ("It failed (E2).", Ending.ANSWERED, 2)


def test_a_connection_that_breaks_in_mid_answer_leaves_what_was_heard(tmp_path: Path) -> None:
    heard: list[str] = []
    with team_with(tmp_path, answers("The step Test failed since the registry was down", cut_after=8)) as setup:
        result = ask(setup, on_token=heard.append)
    assert (result.ended_because, result.cut, len(setup.script.asked)) == (Ending.MODEL_UNAVAILABLE, True, 1)
    assert result.text == "".join(heard).strip() == "The step Test failed since"


@pytest.mark.parametrize("empty", [says(""), answers(""), says("   \n")])
def test_an_empty_answer_is_asked_once_more_and_then_left(tmp_path: Path, empty) -> None:
    with team_with(tmp_path, empty) as setup:
        result = ask(setup)
    assert (result.text, result.ended_because, len(setup.script.asked)) == ("", Ending.EMPTY, 2)


def test_an_answer_that_turns_in_circles_is_stopped(tmp_path: Path) -> None:
    with team_with(tmp_path, answers("the pod is down and " * 2000, tokens_per_second=400)) as setup:
        result = ask(setup)
    assert result.seconds < 20, "the whole of it would take 25 seconds"
    assert (result.ended_because, result.cut) == (Ending.REPETITION, True)
    assert len(result.text) < 60


def test_invented_numbers_come_back_as_they_are_for_the_claim_check(tmp_path: Path) -> None:
    invented = "It failed 4711 times on node gke-0815 since 1999-12-31 (E9)."
    with team_with(tmp_path, answers(invented)) as setup:
        result = ask(setup)
    assert result.text == invented


def test_prose_instead_of_json_is_taken(tmp_path: Path) -> None:
    with team_with(tmp_path, says("The step Test failed (E2). Action: none.")) as setup:
        assert ask(setup).text == "The step Test failed (E2). Action: none."


@pytest.mark.parametrize(
    ("status", "error", "condition"),
    [
        (500, "model runner has unexpectedly stopped", Condition.BROKEN),
        (401, "unauthorized", Condition.REFUSED),
        (400, "the input length exceeds the context length", Condition.TOO_SMALL),
        (404, "model 'demo:1b' not found", Condition.MISSING),
        (429, "rate limit", Condition.BROKEN),
    ],
)
def test_an_error_of_the_host_is_a_named_state(tmp_path: Path, status: int, error: str, condition: Condition) -> None:
    with team_with(tmp_path, says(status=status, error=error)) as setup:
        result = ask(setup)
    assert (result.text, result.ended_because) == ("", Ending.MODEL_UNAVAILABLE)
    assert result.state.condition is condition
    assert len(setup.script.asked) <= 2  # no retries of the libraries


def test_a_host_that_is_not_there_is_left_alone_after_three_failures(tmp_path: Path) -> None:
    reasoner = Reasoner(ModelSettings(name="ollama_chat/demo:1b", url="http://127.0.0.1:9"), tmp_path)
    first = reasoner.reason("answer_question", PACKET, QUESTION)
    assert first.state.condition is Condition.UNREACHABLE
    reasoner.reason("answer_question", PACKET, QUESTION)
    resting = reasoner.reason("answer_question", PACKET, QUESTION)
    assert resting.state.condition is Condition.RESTING
    assert resting.calls == 0
    assert resting.seconds < 30
    reasoner.close()


def test_model_none_is_off(tmp_path: Path) -> None:
    result = Reasoner(ModelSettings(), tmp_path).reason("answer_question", PACKET, QUESTION)
    assert (result.text, result.calls, result.ended_because) == ("", 0, Ending.MODEL_OFF)
    assert result.state.condition is Condition.OFF


def test_cancelling_stops_the_host(tmp_path: Path) -> None:
    with team_with(tmp_path, answers(MANY_SENTENCES, tokens_per_second=20)) as setup:
        control = RunControl(RunBudget(deadline_seconds=120))

        def cancel_in_mid_answer() -> None:
            until(lambda: setup.script.running)
            control.cancel()

        person = threading.Thread(target=cancel_in_mid_answer)
        person.start()
        started = time.monotonic()
        result = ask(setup, control=control)
        person.join(60)
        assert time.monotonic() - started < 30, "the whole answer would take over half a minute"
        assert result.ended_because is Ending.CANCELLED
        until(lambda: setup.script.cut and not setup.script.running)
        assert (setup.script.cut, setup.script.running) == (1, 0)


def test_a_person_goes_before_waiting_background_work(tmp_path: Path) -> None:
    all_wait = threading.Event()

    def slow(asked):
        all_wait.wait(60)
        return answers("Slow (E1).")(asked)

    with team_with(tmp_path, slow, answers("Fine (E1).")) as setup:
        queue = setup.reasoner.hosts.queue

        def run(name: str, priority: Priority) -> None:
            setup.reasoner.reason("explain_alert", f"E1: asked by {name}.", priority=priority)

        def start(name: str, priority: Priority, waiting: int) -> threading.Thread:
            thread = threading.Thread(target=run, args=(name, priority))
            thread.start()
            until(lambda: queue.waiting >= waiting and setup.script.asked)
            return thread

        threads = [start(f"background {number}", Priority.BACKGROUND, number) for number in range(3)]
        threads.append(start("person", Priority.PERSON, 3))
        all_wait.set()
        for thread in threads:
            thread.join(60)
    asked_by = [re.search(r"asked by ([a-z 0-9]+)\.", json.dumps(asked))[1] for asked in setup.script.asked]
    assert asked_by == ["background 0", "person", "background 1", "background 2"]
    assert setup.script.most_running == 1


def test_any_other_provider_works_too(tmp_path: Path) -> None:
    script = (ASKS_FOR_LOG, calls(LOG, {"step": "Test"}), says("The registry failed (T1)."))
    with team_with(tmp_path, *script, provider="openai") as setup:
        result = ask(setup, seconds=60)
    assert (result.text, result.calls) == ("The registry failed (T1).", 3)
    assert "num_ctx" not in json.dumps(setup.script.asked[0])
    assert setup.script.asked[0]["response_format"]["json_schema"]["schema"]["required"]


def test_a_name_without_a_provider_is_told_with_what_to_write(tmp_path: Path) -> None:
    reasoner = Reasoner(ModelSettings(name="no-such-model"), tmp_path)
    state = reasoner.reason("answer_question", PACKET, QUESTION, budget=RunBudget(deadline_seconds=60)).state
    reasoner.close()
    assert state.condition is Condition.REFUSED
    assert "openai/my-model" in state.detail


def test_thoughts_written_into_the_answer_are_left_out(tmp_path: Path) -> None:
    script = (says('<think>maybe {"answer": "no"}</think>{"missing": [], "answer": "Yes (E1).", "cited": []}'),)
    with team_with(tmp_path, *script, provider="openai") as setup:
        assert ask(setup, seconds=60).text == "Yes (E1)."


def test_a_second_host_stands_in_for_one_that_is_down(tmp_path: Path) -> None:
    second = Script(speakers=[answers("From the second host (E1).")])
    with serve(create_app(second)) as url:
        settings = ModelSettings(name="ollama_chat/demo:1b", url="http://127.0.0.1:9", hosts=(url,))
        reasoner = Reasoner(settings, tmp_path)
        result = reasoner.reason("answer_question", PACKET, QUESTION, budget=RunBudget(deadline_seconds=60))
        reasoner.close()
    assert result.text == "From the second host (E1)."
    assert len(second.asked) == 1


def test_a_host_that_swallows_connections_costs_three_seconds_once(tmp_path: Path, monkeypatch) -> None:
    looked_at: list[str] = []
    look = provider._listens

    async def noted(url: str) -> bool:
        looked_at.append(url)
        return await look(url)

    monkeypatch.setattr(provider, "_listens", noted)
    with socket.socket() as listener, ExitStack() as callers:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):  # fills the queue of the listener: whoever comes later hears nothing
            caller = callers.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        silent = f"http://127.0.0.1:{listener.getsockname()[1]}"
        second = Script(speakers=[answers("From the second host (E1).")])
        with serve(create_app(second)) as url:
            reasoner = Reasoner(ModelSettings(name="ollama_chat/demo:1b", url=silent, hosts=(url,)), tmp_path)
            results = [reasoner.reason("answer_question", PACKET, QUESTION) for _ in range(2)]
            reasoner.close()
    assert [result.text for result in results] == ["From the second host (E1)."] * 2
    assert looked_at == [silent, url, url]
    assert results[1].seconds < 30
    assert 2.9 < results[0].seconds < 30, "without a limit of its own the connection would cost the whole minute"


def test_a_model_that_cannot_call_tools_answers_from_the_packet(tmp_path: Path) -> None:
    refusal = says(status=400, error="demo:1b does not support tools")
    with team_with(tmp_path, ASKS_FOR_LOG, refusal, answers("It failed (E2).")) as setup:
        assert ask(setup).text == "It failed (E2)."


def test_a_spent_token_budget_ends_in_a_last_answer(tmp_path: Path) -> None:
    endless = (calls(LOG, {"step": f"step {number}"}) for number in range(50))
    many = iter(endless)

    def speak(asked):
        return answers("It failed (T1).")(asked) if "tools" not in asked else next(many)(asked)

    tool = log_tool(lambda given: ToolResult(f"{given['step']}: " + "log " * 200))
    with team_with(tmp_path, ASKS_FOR_LOG, speak) as setup:
        result = ask(setup, tools=[tool], budget=RunBudget(deadline_seconds=120, tokens=4_000))
    assert (result.text, result.ended_because) == ("It failed (T1).", Ending.TOKENS)
    assert len(result.tool_calls) < 6


def test_two_hosts_answer_two_questions_at_once(tmp_path: Path) -> None:
    both_are_asked = threading.Barrier(2, timeout=60)

    def speak(asked):
        both_are_asked.wait()
        return answers("Yes (E1).")(asked)

    second = Script(speakers=[speak])
    with serve(create_app(second)) as url, team_with(tmp_path, speak, more_hosts=[url]) as setup:
        threads = [threading.Thread(target=ask, args=(setup,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert (len(setup.script.asked), len(second.asked)) == (1, 1)


def test_an_oversized_packet_is_cut_at_a_line_that_says_so(tmp_path: Path) -> None:
    with team_with(tmp_path, answers("Much (E1)."), context_tokens=4096) as setup:
        setup.reasoner.reason("answer_question", "E1: a fact\n" + "E2: noise and more noise\n" * 2000, QUESTION)
    sent = setup.script.asked[0]["messages"][-1]["content"]
    assert len(sent) / 3 < 4096
    assert "more lines of evidence were left out" in sent
    assert sent.index("E1: a fact") < sent.index(QUESTION)


def test_a_choice_is_one_of_the_given_options(tmp_path: Path) -> None:
    with team_with(tmp_path, answers("costs")) as setup:
        result = setup.reasoner.reason("choose_option", "", "What did we spend?", choices=["ci", "costs"])
    assert result.structured == {"choice": "costs"}
    assert setup.script.asked[0]["format"]["properties"]["choice"]["enum"] == ["ci", "costs"]


def test_a_task_that_does_not_exist_is_our_own_mistake(tmp_path: Path) -> None:
    reasoner = Reasoner(ModelSettings(), tmp_path)
    with pytest.raises(UsageError, match="there is no task answer_qestion"):
        reasoner.reason("answer_qestion", PACKET)
    with pytest.raises(UsageError, match="there is no role boss"):
        reasoner.reason("answer_question", PACKET, role="boss")
