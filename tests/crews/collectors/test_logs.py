"""Error lines in VictoriaLogs, over a real socket. The queries themselves are held against the real server."""

from datetime import UTC, datetime

import pytest

from tests.support.asking import ask, crew_at, told
from tests.support.http_answers import Answers, Handler, Request, http_answers, status, text
from tools.victorialogs.client import PATH

pytestmark = pytest.mark.usefixtures("unhurried")
NOW = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)
GROUPS = """
{"kubernetes.pod_namespace":"shop","kubernetes.pod_name":"checkout-7f9c-x2k4q","hits":"30"}
{"kubernetes.pod_namespace":"shop","kubernetes.pod_name":"checkout-7f9c-b8wvz","hits":"4"}
{"kubernetes.pod_namespace":"shop","kubernetes.pod_name":"web-0","hits":"7"}
"""


def logs(handler: Handler, request: Request) -> None:
    query = request.values["query"]
    if "stats by" in query:
        answer = GROUPS
    elif "collapse_nums" in query:
        answer = '{"_msg":"error: card <N> was refused","hits":"33"}'
    elif "stats count()" in query:
        count = 34 if "checkout-" in query else 5 if "billing" in query else 41
        answer = f'{{"hits":"{count}"}}'
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
    assert "41 error lines from 11:00 to 12:00" in text_
    assert "web-0 (7)" in text_


def test_no_errors_of_a_known_thing_tells_whether_it_wrote_at_all(server: Answers, tmp_path) -> None:
    with crew_at(NOW, tmp_path, victorialogs={"url": server.url}, kubernetes=[{"name": "billing"}]) as crew:
        text_ = told(ask(crew, "log errors of billing"))
    assert "no error lines of billing from 11:00 to 12:00, 5 lines in all" in text_


def test_a_log_store_that_refuses_is_named(server: Answers, tmp_path) -> None:
    server.by_path[PATH] = status(500, "broken")
    with crew_at(NOW, tmp_path, victorialogs={"url": server.url}) as crew:
        answer = ask(crew, "any errors in the logs?")
    assert any(one.startswith("victorialogs (") for one in answer.unavailable)
