"""From a question to an answer, over a sandbox of Bitbucket and a scripted model host."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from crews.ask import names as known_names
from crews.ask.answer import Answer, Event
from crews.ask.gather import run as gathering
from crews.ask.job import Question, answer_question
from crews.ask.prose import Writer
from demo.bitbucket.hour import furnish, play
from demo.ollama.app import create_app
from demo.ollama.script import Script, answers, says
from demo.serving import serve
from opscrew.memory.conversations import Conversations
from opscrew.model.action import ActionState
from opscrew.settings import BitbucketSettings, ModelSettings
from tests.support.model_host import import_libraries
from tests.support.sandboxes import BitbucketWatch, bitbucket_watch

pytestmark = pytest.mark.usefixtures("unhurried")

POLICY = {"rerun_pipeline": {"*": "auto", "acme/payments": "approve"}}
MINUTES = 14


@contextmanager
def busy(folder: Path, **settings: object) -> Iterator[BitbucketWatch]:
    """The first minutes of the demo's hour: a blip in shop, a real failure in payments, a lasting one in infra."""
    with bitbucket_watch(folder, policy=POLICY, **settings) as watch:
        furnish(watch.world)
        for minute in range(MINUTES):
            play(watch.world, minute)
            watch.round()
        yield watch


@pytest.fixture(scope="module")
def watch(tmp_path_factory) -> Iterator[BitbucketWatch]:
    with busy(tmp_path_factory.mktemp("ask")) as made:
        yield made


def ask(watch: BitbucketWatch, text: str, before: Answer | None = None, **more: object) -> Answer:
    book = Conversations(watch.context.engine, watch.context.clock)
    conversation = book.get(before.conversation) if before else None
    return answer_question(watch.context, Question(text, conversation, "ada", deadline_seconds=600), **more)


def test_a_failure_is_explained_with_the_lines_of_its_log(watch) -> None:
    answer = ask(watch, "why did payments #1 fail?")
    assert "#1 of acme/payments failed in step Test" in answer.text
    assert any("log acme/payments#1 step Test" in fact.source for fact in answer.facts)
    assert answer.facts[0].link
    assert 0 < answer.seconds_to_facts < 30, "the benchmark measures it; here no part of it waits for its limit"
    assert answer.usage.model == "none"


def test_what_failed_is_counted_over_the_repositories(watch) -> None:
    answer = ask(watch, "what failed in the last hour?")
    assert answer.facts[0].text.endswith("failed") or "failed" in answer.facts[0].text
    assert "acme/infra" in answer.text


def test_a_conversation_is_carried_on_and_kept(watch) -> None:
    first = ask(watch, "did infra pass?")
    second = ask(watch, "why?", first)
    assert (second.intent, second.subject) == ("failure_cause", "infra")
    third = ask(watch, "what did I ask first?", second)
    assert "did infra pass?" in third.text


def test_what_was_told_is_not_told_again(watch) -> None:
    first = ask(watch, "what failed in payments?")
    second = ask(watch, "and what failed in payments?", first)
    assert second.text.startswith("Nothing new for payments since I told you:")
    assert "As before:" in second.text
    assert len(second.text) < len(first.text)
    why = ask(watch, "why did it fail?", second)
    assert "This is what explains the failure" in why.text


def test_another_conversation_names_what_the_person_knows_and_tells_it(tmp_path) -> None:
    with busy(tmp_path) as made:
        first = ask(made, "did infra pass?")
        again = ask(made, "did infra pass?")
        assert "from before" not in first.text
        assert "You know all of this from before." in again.text
        assert set(first.text.splitlines()) <= set(again.text.splitlines())
        other = answer_question(made.context, Question("did infra pass?", None, "bob"))
        assert "from before" not in other.text


def test_one_of_several_that_cannot_be_told_is_asked_back(watch) -> None:
    first = ask(watch, "did infra pass?")
    assert "I cannot tell which one you mean" in ask(watch, "no, the other one", first).text


def test_do_it_proposes_what_policy_lets_wait(watch) -> None:
    first = ask(watch, "why did payments #1 fail?")
    answer = ask(watch, "re-run it", first)
    (record,) = answer.actions
    assert record.state is ActionState.WAITING
    assert f"crew actions approve {record.id}" in answer.text
    assert ask(watch, "re-run it", answer).actions[0].id == record.id


def test_a_wish_is_corrected_by_naming_another_thing(watch) -> None:
    first = ask(watch, "re-run search")
    answer = ask(watch, "no, payments", first)
    (record,) = answer.actions
    assert record.action.target.scope == "acme/payments"


@pytest.mark.parametrize("wish", ["silence them", "no, the other one", "delete everything"])
def test_a_wish_that_is_not_understood_takes_nothing_from_an_earlier_one(watch, wish) -> None:
    first = ask(watch, "re-run payments")
    assert first.actions
    assert ask(watch, wish, first).actions == ()


def test_a_build_of_another_branch_is_not_what_was_asked_for(watch) -> None:
    answer = ask(watch, "re-run payments on develop")
    assert answer.actions == ()
    assert "I see no failed pipeline of payments on develop" in answer.text


@pytest.mark.parametrize("wish", ["re-run zorbax", "stop shipping", "retry the mailer pipeline"])
def test_a_repository_that_nobody_knows_is_not_the_one_that_was_spoken_of(watch, wish) -> None:
    before = ask(watch, "why did payments #1 fail?")
    answer = ask(watch, wish, before)
    assert answer.actions == ()
    assert "name a repository or a workload that I know" in answer.text


def test_what_passed_is_no_answer_to_what_failed(tmp_path) -> None:
    with bitbucket_watch(tmp_path) as made:
        made.world.add_repository("shop")
        made.world.push("shop", "passing")
        made.clock.forward(minutes=60)
        made.round()
        answer = ask(made, "what failed in shop today?")
        assert answer.text.startswith("Nothing failed for shop in that time. acme/shop: 1 build, 1 passed [E1].")
        answer = ask(made, "what failed today?")
        assert answer.text.startswith("Nothing failed in that time. 1 repository since 00:00: 1 build, 1 passed [E1].")


def test_what_may_not_be_run_again_is_said_with_its_reason(watch) -> None:
    answer = ask(watch, "re-run search")
    assert answer.actions == ()
    assert "the deployment to Production in step 'Deploy' had started" in answer.text


def test_a_misspelt_name_is_good_to_read_by_but_not_to_act_on(watch) -> None:
    assert "I took paymets for payments." in ask(watch, "did paymets pass?").text
    assert ask(watch, "re-run paymets").actions == ()


def test_past_trouble_is_found_with_what_helped(watch) -> None:
    answer = ask(watch, "have we seen the failure of shop before?")
    assert "resolved" in answer.text
    assert any("re-run" in fact.text and "ended successful" in fact.text for fact in answer.facts)


def test_what_is_not_known_is_not_made_up(watch) -> None:
    answer = ask(watch, "how full are the volumes?")
    assert answer.text.startswith("I don't know. I looked at ")
    assert "kubernetes (not configured)" in answer.unavailable


def test_another_field_gets_a_short_reply(watch) -> None:
    answer = ask(watch, "what is the weather in Rome?")
    assert answer.text.startswith("That is outside my field.")
    assert answer.facts == ()


def test_a_word_of_another_field_is_no_misspelt_name(watch) -> None:
    assert "autumn" not in ask(watch, "write a poem about autumn").text


def test_a_build_that_does_not_exist_is_an_answer_and_no_silent_system(watch) -> None:
    answer = ask(watch, "why did payments #4711 fail?")
    assert "acme/payments has no build #4711; its newest is #" in answer.text
    assert not [one for one in answer.unavailable if one.startswith("bitbucket")]


@pytest.mark.usefixtures("hurried")
def test_a_system_that_hangs_costs_less_than_five_seconds_and_is_named(tmp_path) -> None:
    assert known_names.ASK_SECONDS + gathering.DEADLINE_SECONDS < 5
    with socket.create_server(("127.0.0.1", 0)) as silent, bitbucket_watch(tmp_path) as made:
        part = BitbucketSettings(
            url=f"http://127.0.0.1:{silent.getsockname()[1]}/2.0", workspace="acme", token="a-token"
        )
        with bitbucket_watch(tmp_path / "other", bitbucket=part) as hanging:
            del made
            started = time.monotonic()
            answer = ask(hanging, "what failed today?")
            assert time.monotonic() - started < 30, "the client alone would wait for a minute"
    assert any(one.startswith("bitbucket") for one in answer.unavailable)
    assert "No answer from bitbucket" in answer.text


@pytest.mark.usefixtures("hurried")
def test_repositories_that_all_hang_are_not_told_as_quiet(tmp_path) -> None:
    with busy(tmp_path) as made:
        for _ in range(30):
            made.world.faults.add("hang", seconds=60)
        answer = ask(made, "what failed today?")
    assert any(one.startswith("bitbucket") for one in answer.unavailable)
    assert "0 repositories" not in answer.text


def test_only_sentences_that_the_evidence_bears_are_shown(tmp_path) -> None:
    said = "Build #1 of acme/payments failed in step Test [E2]. It took 999 minutes. The host redis-master died [E1]."
    import_libraries(tmp_path)
    script = Script(speakers=(answers(said),))
    with serve(create_app(script)) as url:
        model = ModelSettings(name=f"ollama_chat/{script.model}", url=url)
        with busy(tmp_path, model=model) as made, Writer(made.context.settings) as writer:
            heard: list[Event] = []
            answer = ask(made, "why did payments #1 fail?", writer=writer, on_event=heard.append)
            quiet = ask(made, "why did payments #1 fail?", writer=None)
    shown = " ".join(event.text for event in heard if event.kind == "prose")
    assert "999" not in shown + answer.text
    assert "redis-master" not in shown + answer.text
    assert "failed in step Test" in shown
    assert (answer.kept, answer.dropped) == (1, 2)
    assert answer.usage.calls == 1
    assert answer.usage.prompt_tokens <= 2_000
    assert answer.text.startswith(quiet.text.splitlines()[0])
    assert [event.kind for event in heard].index("facts") < [event.kind for event in heard].index("prose")
    assert quiet.usage.calls == 0


WORTHLESS = (
    "No more can be fetched.",
    "You should scale the cluster [E1].",
    "The report contains no additional information [E1].",
    "Approve the waiting action and run the command in the log [E1].",
    "Everything is fine, and no action is needed [E1].",
)


def test_the_answer_of_code_stands_whatever_a_model_writes(tmp_path) -> None:
    """As a real model of 135 million parameters wrote it in place of right facts."""
    import_libraries(tmp_path)
    script = Script(speakers=(answers(" ".join(WORTHLESS)),))
    with serve(create_app(script)) as url:
        model = ModelSettings(name=f"ollama_chat/{script.model}", url=url)
        with busy(tmp_path, model=model) as made, Writer(made.context.settings) as writer:
            heard: list[Event] = []
            answer = ask(made, "why did payments #1 fail?", writer=writer, on_event=heard.append)
            quiet = ask(made, "why did payments #1 fail?", writer=None)
    assert quiet.text.startswith(answer.text)
    assert [event.text for event in heard if event.kind == "answer"] == [answer.text]
    assert (answer.kept, answer.prose) == (0, ())
    assert answer.dropped >= 3, "after so many in a row the model is stopped"
    assert answer.model_note == "The model had nothing to add that the evidence holds."


def test_a_model_that_takes_a_question_for_a_wish_proposes_nothing(tmp_path) -> None:
    import_libraries(tmp_path)
    script = Script(speakers=(says('{"choice": "act"}'),))
    with serve(create_app(script)) as url:
        model = ModelSettings(name=f"ollama_chat/{script.model}", url=url)
        with busy(tmp_path, model=model) as made, Writer(made.context.settings) as writer:
            answer = ask(made, "payments #1 again, hm", writer=writer)
    choice = script.asked[0]
    assert "payments #1 again, hm" in str(choice["messages"])
    assert "failure_cause" in str(choice)
    assert "act:" not in str(choice)
    assert (answer.intent == "act", answer.actions) == (False, ())
    assert answer.usage.calls == len(script.asked) <= 2
    assert answer.usage.prompt_tokens <= 2_000


def test_a_model_that_is_gone_leaves_the_facts_and_says_so(tmp_path) -> None:
    model = ModelSettings(name="ollama_chat/none:1b", url="http://127.0.0.1:9")
    with bitbucket_watch(tmp_path, model=model) as made, Writer(made.context.settings) as writer:
        answer = ask(made, "is anything wrong?", writer=writer)
    assert answer.text
    assert answer.model_note.startswith("The model ollama_chat/none:1b")
