"""Error lines in VictoriaLogs, over a real socket. The queries themselves are held against the real server."""

from datetime import UTC, datetime

import pytest

from tests.support.asking import ask, crew_at, told
from tests.support.http_answers import Answers, Handler, Request, http_answers, status, text
from tools.victorialogs.client import PATH

pytestmark = pytest.mark.usefixtures("unhurried")
NOW = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)
FIELDS = ("_msg", "_time", "kubernetes.pod_namespace", "kubernetes.pod_name", "level")
TALLIES = """
{"kubernetes.pod_namespace":"shop","kubernetes.pod_name":"checkout-7f9c-x2k4q","total":"800","hits":"30"}
{"kubernetes.pod_namespace":"shop","kubernetes.pod_name":"checkout-7f9c-b8wvz","total":"100","hits":"4"}
{"kubernetes.pod_namespace":"shop","kubernetes.pod_name":"web-0","total":"345","hits":"7"}
{"kubernetes.pod_namespace":"shop","kubernetes.pod_name":"quiet-0","total":"12","hits":"0"}
"""


def logs(handler: Handler, request: Request) -> None:
    query = request.values["query"]
    about = next((name for name in ("checkout", "quiet", "web", "foxtrot") if f':="{name}"' in query), "")
    if "| field_names" in query:
        answer = "\n".join(f'{{"name":"{name}","hits":"9"}}' for name in FIELDS)
    elif "| stats by (" in query and "total" not in query:
        answer = TALLIES.replace('"hits"', '"failures"').replace('"total"', '"hits"')
    elif "| stats by (" in query:
        answer = "\n".join(row for row in TALLIES.split("\n") if f'"{about}' in row)
    elif "| stats count()" in query:
        answer = '{"hits":"0"}'
    elif "| collapse_nums" in query:
        answer = '{"_msg":"error: card <N> was refused","hits":"33"}'
    elif query.endswith("limit 5"):
        answer = ""  # no trace came line by line
    else:
        answer = (
            '{"_time":"2026-10-06T11:59:00Z","_msg":"error: card 7 was refused password=hunter2secret",'
            '"kubernetes.pod_name":"checkout-7f9c-x2k4q"}'
        )
    text(answer)(handler, request)


@pytest.fixture
def server():
    with http_answers() as answers:
        answers.by_path[PATH] = logs
        yield answers


def test_errors_of_a_workload_since_a_time_with_what_they_say(server: Answers, tmp_path) -> None:
    with crew_at(NOW, tmp_path, victorialogs={"url": server.url}) as crew:
        answer = ask(crew, "log errors of checkout since 9")
    assert answer.intent == "logs"
    assert "34 error lines of checkout from 09:00 to 12:00" in told(answer)
    assert "come from checkout-7f9c-x2k4q (30), checkout-7f9c-b8wvz (4)" in told(answer)
    assert "33 times: error: card <N> was refused" in told(answer)
    assert "victorialogs checkout-7f9c-x2k4q: error: card 7 was refused" in told(answer)
    assert "hunter2secret" not in told(answer)
    assert "web-0" not in told(answer)
    assert answer.facts[0].link.startswith(f"{server.url}/select/vmui/#/?query=")
    assert {one.values["start"][:16] for one in server.requests} == {"2026-10-06T09:00"}


def test_errors_of_everything_in_the_last_hour(server: Answers, tmp_path) -> None:
    with crew_at(NOW, tmp_path, victorialogs={"url": server.url}) as crew:
        text_ = told(ask(crew, "any errors in the logs?"))
    assert "41 error lines from 11:00 to 12:00, of 1,257 lines" in text_
    assert "web-0 (7)" in text_


def test_a_zero_stands_beside_the_lines_that_were_looked_at(server: Answers, tmp_path) -> None:
    with crew_at(NOW, tmp_path, victorialogs={"url": server.url}) as crew:
        text_ = told(ask(crew, "log errors of quiet"))
    assert "no error lines of quiet from 11:00 to 12:00: 0 of 12 lines" in text_


@pytest.mark.parametrize(
    "question",
    [
        "log errors of foxtrot",
        "show the errors in the logs of foxtrot",
        "what does foxtrot log?",
        "error lines from pod foxtrot",
    ],
)
def test_a_name_that_no_log_has_is_said_and_not_answered_by_the_errors_of_others(
    server: Answers, tmp_path, question: str
) -> None:
    for known in ({}, {"kubernetes": [{"name": "foxtrot"}, {"name": "other"}]}):
        with crew_at(NOW, tmp_path / str(len(known)), victorialogs={"url": server.url}, **known) as crew:
            text_ = told(ask(crew, question))
        assert (
            "no log line from 11:00 to 12:00 is of a namespace or pod called foxtrot, 1,257 lines are of others"
            in text_
        )
        assert "card" not in text_
        assert "41" not in text_


def test_a_namespace_says_where_and_is_no_answer_for_what_is_absent(server: Answers, tmp_path) -> None:
    with crew_at(NOW, tmp_path, victorialogs={"url": server.url}) as crew:
        absent = told(ask(crew, "show the log errors of foxtrot in namespace shop"))
        both = ask(crew, "show the log errors of checkout in namespace shop")
    assert "called foxtrot" in absent
    assert "error lines" not in absent
    assert "34 error lines of checkout, shop" in told(both)
    tallied = [one.values["query"] for one in server.requests if "count() total" in one.values["query"]]
    assert ':="shop"' in tallied[-1]
    assert ') (("kubernetes' in tallied[-1]


def test_the_only_cluster_is_the_whole_store(server: Answers, tmp_path) -> None:
    with crew_at(NOW, tmp_path, victorialogs={"url": server.url}, kubernetes=[{"name": "prod-eu"}]) as crew:
        text_ = told(ask(crew, "any errors in the logs of cluster prod-eu?"))
    assert "41 error lines" in text_
    assert "called prod-eu" not in text_


def test_a_store_that_holds_nothing_is_not_a_quiet_one(server: Answers, tmp_path) -> None:
    server.by_path[PATH] = text("")
    with crew_at(NOW, tmp_path, victorialogs={"url": server.url}) as crew:
        text_ = told(ask(crew, "any errors in the logs?"))
    assert "the store holds no log lines at all from 11:00 to 12:00, and none in the 24 hours before" in text_
    assert "another tenant" in text_
    assert "0 error lines" not in text_


def test_a_cluster_with_a_store_of_its_own_is_asked_there(server: Answers, tmp_path) -> None:
    with http_answers() as own:
        own.by_path[PATH] = status(500, "broken")
        clusters = [{"name": "prod", "victorialogs": {"url": own.url, "tenant": "7"}}, {"name": "stage"}]
        with crew_at(NOW, tmp_path, kubernetes=clusters, victorialogs={"url": server.url}) as crew:
            half = ask(crew, "any errors in the logs?")
            own.by_path[PATH] = logs
            both = ask(crew, "any errors in the logs?")
            before = len(server.requests)
            prod = ask(crew, "any errors in the logs of cluster prod?")
    assert "victorialogs: 41 error lines" in told(half)
    assert any(gap.startswith("victorialogs: logs of cluster prod not measured") for gap in half.not_measured)
    assert {fact.source for fact in both.facts} >= {"victorialogs", "victorialogs prod"}
    assert own.requests[-1].headers["AccountID"] == "7"
    assert len(server.requests) == before, "the common store holds nothing of that cluster"
    assert "victorialogs prod: cluster prod: 41 error lines" in told(prod)
    assert prod.facts[0].link.startswith(own.url)


def test_a_log_store_that_refuses_is_named(server: Answers, tmp_path) -> None:
    server.by_path[PATH] = status(500, "broken")
    with crew_at(NOW, tmp_path, victorialogs={"url": server.url}) as crew:
        answer = ask(crew, "any errors in the logs?")
    assert any(one.startswith("victorialogs (") for one in answer.unavailable)
