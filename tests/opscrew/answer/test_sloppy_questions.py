"""Questions as they are typed on call: shorthand, slips of the fingers, slang, half sentences, and asking on."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from opscrew.answer.understand.question import Asked, Understanding, understand
from opscrew.answer.understand.subjects import KnownNames
from opscrew.answer.understand.wording import plain
from opscrew.model.subject import Subject

NOW = datetime(2026, 4, 8, 8, 20, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
KNOWN = (
    *(
        Subject(system="bitbucket", kind="repository", scope="acme", name=name)
        for name in ("shop", "payments", "billing-api", "web-frontend")
    ),
    *(
        Subject(system="bitbucket", kind="branch", scope="acme/shop", name=name)
        for name in ("main", "release/2.4", "feature/cart-fix")
    ),
    Subject(system="kubernetes", kind="Deployment", scope="prod/checkout", name="cart"),
    Subject(system="kubernetes", kind="Node", scope="prod", name="node-7"),
    *(Subject(system="kubernetes", kind="cluster", name=name) for name in ("prod", "staging")),
)


def asked(question: str, *before: str) -> Understanding:
    return understand(question, KNOWN, NOW, BERLIN, [Asked(one, NOW) for one in before])


@pytest.mark.parametrize(
    ("intent", "questions"),
    [
        ("failures", ["which builds bombed out today", "wich pipelins are brokn", "whats borked", "hey what failed?",
                      "what faild since yesterday evning", "shop build is red again wtf", "flakiest test",
                      "top failing repos this week", "pls show me faild biulds of payments"]),
        ("failure_cause", ["y did the shop build die", "why'd payments blow up", "what made the web frontend go red"]),
        ("pipeline_status", ["is the build ok", "slow builds", "longest builds yesterday", "avg build time shop",
                             "how come ci is so slow", "whats queued", "stuck builds?", "shop?", "tell me about shop",
                             "did teh shop biuld pass yesturday", "#42"]),
        ("cluster_health", ["prod is down??", "cart pod keeps dying", "why is cart crashlooping", "hows node-7",
                            "is cart up"]),
        ("open_findings", ["anything on fire", "status", "handover notes please", "what should i work on today",
                           "am i ok to deploy", "good morning, is everything ok"]),
        ("actions", ["anything i need to approve", "waiting on me?", "what did u do last night"]),
        ("changes", ["did the deploy go thru", "whats changed since it last worked", "who broke main"]),
        ("history", ["seen this b4?", "has this happened b4", "when did it last work"]),
        ("metrics", ["mem cart", "is cart leaking memory"]),
        ("how_to", ["what to do when a pvc is full", "whats OOMKilled mean"]),
        ("alerts", ["why did i get woken up at 3"]),
        ("costs", ["what's costing us so much"]),
        ("act", ["rerun shop 42", "kick off shop again", "give shop another spin",
                 "can u restart the cart deployment"]),
        ("help", ["thanks!", "ok", "yes", "good morning"]),
        ("out_of_field", ["who won the election", "write me a python script", "what is 2+2", "recommend a laptop"]),
    ],
)  # fmt: skip
def test_sloppy_questions_mean_the_same(intent: str, questions: list[str]) -> None:
    assert {question: asked(question).intent for question in questions} == dict.fromkeys(questions, intent)


@pytest.mark.parametrize(
    ("question", "before", "intent", "subject"),
    [
        ("whats the reason", ["what failed in shop today"], "failure_cause", "shop"),
        ("why though", ["what failed in shop today"], "failure_cause", "shop"),
        ("not shop, payments", ["what failed in shop today"], "failures", "payments"),
        ("no, payments", ["what failed in shop today"], "failures", "payments"),
        ("no, the other one", ["what failed in shop today", "and payments?"], "failures", "shop"),
        ("why did the second one fail", ["what failed in shop and payments"], "failure_cause", "payments"),
        ("the first one", ["what failed in shop and payments"], "failures", "shop"),
        ("and in staging?", ["is cart healthy in prod"], "cluster_health", "cart staging"),
        ("its logs?", ["is cart healthy"], "logs", "cart"),
        ("show me the log", ["why did shop #42 fail"], "failure_cause", "shop #42"),
        ("and cpu?", ["is cart healthy"], "metrics", "cart"),
        ("and 41?", ["why did shop #42 fail"], "failure_cause", "shop #41"),
        ("and the one before?", ["why did shop #42 fail"], "failure_cause", "shop #41"),
        ("and on release/2.4?", ["did shop pass on main"], "pipeline_status", "shop release/2.4"),
        ("and payments?", ["why did shop #42 fail", "thanks"], "failure_cause", "payments"),
        ("in all repos", ["what failed in shop since yesterday"], "failures", ""),
        ("everything else?", ["what failed in shop since yesterday"], "failures", ""),
        ("and node-8?", ["how full is the disk of node-7"], "storage", ""),
        ("did cart-fix pass", [], "pipeline_status", "feature/cart-fix"),
        ("payments vs shop, which is flakier", [], "failures", "payments and shop"),
        ("re-run it", ["what failed in shop today"], "act", "shop"),
        ("yes", ["what failed in shop today"], "help", ""),
    ],
)
def test_half_sentences_lean_on_what_was_said(question: str, before: list[str], intent: str, subject: str) -> None:
    understood = asked(question, *before)
    assert (understood.intent, understood.subject) == (intent, subject)


def test_a_name_with_another_number_is_offered_and_never_taken() -> None:
    understood = asked("is node-8 ok")
    assert dict(understood.near) == {"node-8": ("node-7",)}
    assert understood.assumed == ()
    assert understood.subjects == ()


@pytest.mark.parametrize("question", ["cart pod keeps dying", "avg build time shop", "wie geht es dem build"])
def test_plain_words_are_no_unknown_names(question: str) -> None:
    assert asked(question).near == ()


def test_what_cannot_be_told_is_unclear() -> None:
    assert asked("no, the other one", "what failed in shop today").is_unclear
    assert not asked("and payments?", "what failed in shop today").is_unclear


@pytest.mark.parametrize("name", ["mem", "night", "failed-jobs", "march"])
def test_names_are_no_shorthand(name: str) -> None:
    known = (Subject(system="bitbucket", kind="repository", scope="acme", name=name),)
    understood = understand(f"did {name} pass?", known, NOW, BERLIN)
    assert (understood.intent, understood.subject, understood.range) == ("pipeline_status", name, None)


def test_ordinary_words_are_not_repaired() -> None:
    assert plain("did the parsed field reach the stage?") == "did the parsed field reach the stage?"
    assert plain("hi") == "hi"


def test_of_thousands_of_names_only_those_in_the_question_are_looked_at_closely() -> None:
    known = [
        Subject(system="kubernetes", kind="Pod", scope="prod/x", name=f"worker-{one}-abcde") for one in range(3000)
    ]
    names = KnownNames([*known, *KNOWN])
    assert names.in_question("why is the Billing API of prod red?") == ["billing-api", "prod"]
    assert names.close_to("paymets", 0.8) == ["payments"]
