"""Questions are understood by rules: intent, subject, time range, and what a follow-up leans on."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bench.questions import load, misread
from opscrew.answer.understand.question import Asked, Understanding, span_of, understand
from opscrew.model.subject import Subject

NOW = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
KNOWN = tuple(
    Subject(system="bitbucket", kind="repository", scope="acme", name=name)
    for name in ("payments", "search", "shop", "web", "billing-service")
)


def asked(question: str, *before: str) -> Understanding:
    return understand(question, KNOWN, NOW, BERLIN, [Asked(one, NOW) for one in before])


def test_the_written_questions_are_understood_also_those_that_were_held_out() -> None:
    tuned, held_out, raw = load()
    assert len(tuned) + len(held_out) >= 120
    assert len(misread(held_out, raw)) <= 0.05 * len(held_out)
    assert len(misread(tuned, raw)) <= 0.05 * len(tuned)


def test_an_ordinary_word_is_no_misspelt_branch() -> None:
    main = Subject(system="bitbucket", kind="branch", scope="acme/shop", name="main")
    assert understand("what made build 12 of shop go red?", (*KNOWN, main), NOW, BERLIN).near == ()


def test_a_bare_why_asks_for_the_cause_of_what_came_before() -> None:
    understood = asked("why?", "did payments #3 pass yesterday?")
    assert (understood.intent, understood.subject) == ("failure_cause", "payments #3")
    assert understood.is_follow_up


def test_the_day_before_moves_the_range_again_and_again() -> None:
    first = asked("and the day before?", "what failed yesterday?")
    second = asked("and the day before?", "what failed yesterday?", "and the day before?")
    assert first.intent == second.intent == "failures"
    assert first.range
    assert second.range
    assert (first.range.start - second.range.start).days == 1
    assert first.range.end == second.range.end.replace(day=second.range.end.day + 1)


def test_another_subject_keeps_the_question_and_its_time() -> None:
    understood = asked("what about web?", "what failed in payments yesterday?")
    assert (understood.intent, understood.subject) == ("failures", "web")
    assert understood.range
    assert understood.range.label == "yesterday"


def test_what_a_model_had_chosen_counts_for_the_follow_up() -> None:
    before = [Asked("hm, payments?", NOW, "changes")]
    assert understand("and web?", KNOWN, NOW, BERLIN, before).intent == "changes"


def test_a_misspelt_name_is_taken_for_the_one_it_resembles_and_said_so() -> None:
    understood = asked("did the paymets build pass?")
    assert understood.subject == "payments"
    assert understood.assumed == (("paymets", "payments"),)


def test_a_name_that_resembles_nothing_is_offered_as_unknown() -> None:
    assert dict(asked("why did the ledgre repository fail?").near) == {"ledgre": ()}


@pytest.mark.parametrize(
    ("question", "subject"),
    [
        ("search for failures", ""),
        ("why did search fail?", "search"),
        ("Is the billing service green?", "billing-service"),
        ("acme/shop#12 failed, why?", "shop #12"),
        ("what's wrong with Payments' build 7?", "payments #7"),
    ],
)
def test_names_are_told_from_words(question: str, subject: str) -> None:
    assert asked(question).subject == subject


def test_a_repository_called_like_a_bill_is_no_question_about_costs() -> None:
    assert asked("status of the last build of billing-service").intent == "pipeline_status"


def test_without_a_time_each_intent_has_its_own_reach() -> None:
    assert span_of(asked("is anything wrong?"), NOW)[0] is None
    start, end = span_of(asked("what failed?"), NOW)
    assert start
    assert (end - start).total_seconds() == 24 * 3600


@pytest.mark.parametrize("question", ["", "?", "   ", "\x00", "a" * 20_000, "why " * 2_000, "#" * 500, "🤷"])
def test_any_text_gives_some_understanding(question: str) -> None:
    assert asked(question).intent


@pytest.mark.parametrize(
    ("intent", "questions"),
    [
        ("metrics", ["How busy is node pool-1-a?", "cpu of payments over the last hour", "who eats all the cpu?",
                     "error rate of checkout since yesterday", "how many requests per second does shop get?",
                     "was there a spike in 5xx last night?", "what's the p95 of billing-service today"]),
        ("logs", ["log errors of checkout since 9", "show me the logs of web", "are there errors in the logs?",
                  "any exceptions in search since midnight?", "what does payments log?"]),
        ("alerts", ["which alerts fire now?", "did any alert fire last night?"]),
        ("failure_cause", ["what does the log of payments #3 say about the error?"]),
        ("cluster_health", ["which pods are out of memory?"]),
        ("storage", ["how full is the disk of postgres?"]),
    ],
)  # fmt: skip
def test_figures_logs_and_alerts_are_told_from_builds_and_pods(intent: str, questions: list[str]) -> None:
    assert [asked(question).intent for question in questions] == [intent] * len(questions)


CLUSTER = tuple(
    Subject(system="kubernetes", kind=kind, scope=scope, name=name)
    for kind, scope, name in (
        ("Deployment", "prod/shop", "payments"),
        ("Deployment", "prod/shop", "checkout-api"),
        ("Deployment", "prod/tools", "logs"),
        ("Deployment", "prod/tools", "test"),
        ("PersistentVolumeClaim", "prod/shop", "payments"),
        ("namespace", "prod", "production"),
        ("namespace", "prod", "build"),
    )
)


def of_both(question: str, *before: str) -> Understanding:
    return understand(question, (*KNOWN, *CLUSTER), NOW, BERLIN, [Asked(one, NOW) for one in before])


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("did payments pass yesterday?", "repository"),
        ("is the payments deployment healthy?", "Deployment"),
        ("why are the pods of payments crash looping?", "Deployment"),
        ("how full is the volume payments?", "PersistentVolumeClaim"),
        ("why did payments #3 fail?", "repository"),
    ],
)
def test_a_name_that_several_things_have_means_the_one_that_the_question_is_about(question: str, kind: str) -> None:
    assert of_both(question).subjects[0].kind == kind


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("what failed in the build of shop?", ["shop"]),
        ("what do the logs of checkout-api say?", ["checkout-api"]),
        ("why did the test step of shop fail?", ["shop"]),
        ("is the logs deployment healthy?", ["logs"]),
        ("any failing pods in production?", ["production"]),
        ("how is namespace build?", ["build"]),
    ],
)
def test_a_word_that_questions_use_anyway_names_something_only_where_a_name_stands(
    question: str, names: list[str]
) -> None:
    assert [one.name for one in of_both(question).subjects] == names


@pytest.mark.parametrize(
    "wish",
    [
        "re-run zorbax",
        "re-run the shipping pipeline",
        "stop zorbax",
        "ok, restart shipping",
        "re-run zorbax on main",
        "trigger the deploy of mailer",
        "if it failed, re-run zorbax",
        "same for zorbax",
        "don't re-run it",
    ],
)
def test_a_wish_with_an_unknown_word_never_means_what_was_spoken_of_before(wish: str) -> None:
    understood = of_both(wish, "re-run shop #8")
    assert not [one for one in understood.subjects if one.name in ("shop", "#8")]


@pytest.mark.parametrize(
    "wish",
    [
        "re-run it",
        "please re-run it again now",
        "ok, retry the failed step",
        "go ahead",
        "do it",
        "re-run it because the network was down",
        "can you run that build again?",
        "stop it",
        "re-run my build, please",
    ],
)
def test_a_wish_that_names_nothing_means_what_was_spoken_of_before(wish: str) -> None:
    assert of_both(wish, "why did shop #8 fail?").subject == "shop #8"


@pytest.mark.parametrize(
    ("question", "intent", "subject"),
    [
        ("did the build pass?", "pipeline_status", ""),
        ("did the test pass?", "pipeline_status", ""),
        ("what about alerts?", "alerts", ""),
        ("any alerts?", "alerts", ""),
        ("what failed in the test step?", "failures", ""),
        ("how are the runners?", "runners", ""),
        ("are all pods healthy?", "cluster_health", ""),
        ("is it down?", "cluster_health", ""),
        ("did 5 builds fail?", "failures", ""),
        ("how is the test deployment?", "cluster_health", "test"),
        ("how is the namespace alerts?", "cluster_health", "alerts"),
        ("is the runners daemonset ok?", "cluster_health", "runners"),
    ],
)
def test_what_clusters_call_their_things_takes_no_ordinary_question(question: str, intent: str, subject: str) -> None:
    things = [("Deployment", name) for name in ("build", "test", "all", "it", "5", "pods")]
    things += [("DaemonSet", "runners"), ("namespace", "alerts")]
    known = [Subject(system="kubernetes", kind=kind, scope="prod/shop", name=name) for kind, name in things]
    understood = understand(question, known, NOW, UTC)
    assert (understood.subject, understood.intent) == (subject, intent)
