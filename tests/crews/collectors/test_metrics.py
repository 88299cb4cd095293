"""Figures of running systems, over a real socket."""

from datetime import UTC, datetime, timedelta

import pytest

from crews import gathering
from tests.support.asking import ask, crew_at, told
from tests.support.http_answers import Answers, Handler, Request, hang, http_answers, status, value
from tools.victoriametrics.client import QUERY_RANGE

pytestmark = pytest.mark.usefixtures("unhurried")
NOW = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)


class Store:
    """Answers range queries by the metric that occurs in them."""

    def __init__(self, **by_metric: list[tuple[dict[str, str], list[float]]]) -> None:
        self.by_metric = by_metric

    def __call__(self, handler: Handler, request: Request) -> None:
        found = next((rows for name, rows in self.by_metric.items() if name in request.values["query"]), [])
        end, step = float(request.values["end"]), float(request.values["step"].rstrip("s"))
        result = [
            {
                "metric": labels,
                "values": [[end - step * (len(values) - 1 - i), str(one)] for i, one in enumerate(values)],
            }
            for labels, values in found
        ]
        value({"status": "success", "data": {"resultType": "matrix", "result": result}})(handler, request)


@pytest.fixture
def server():
    with http_answers() as answers:
        yield answers


def serve(server: Answers, **by_metric: list[tuple[dict[str, str], list[float]]]) -> dict[str, object]:
    server.by_path[QUERY_RANGE] = Store(**by_metric)
    return {"victoriametrics": {"url": server.url}}


CPU = [
    ({"namespace": "shop", "workload": "payments"}, [0.2, 1.4, 0.5]),
    ({"namespace": "shop", "workload": "cart"}, [3.0, 3.0, 3.0]),
]


def test_the_cpu_of_something_the_crew_has_never_heard_of(server: Answers, tmp_path) -> None:
    with crew_at(NOW, tmp_path, **serve(server, container_cpu_usage_seconds_total=CPU)) as crew:
        answer = ask(crew, "CPU of payments over the last hour")
    assert answer.intent == "metrics"
    assert "CPU of workload payments in namespace shop since 11:00: 0.50 cores at 12:00, mean 0.70 cores" in told(
        answer
    )
    assert "highest 1.40 cores at 11:59" in told(answer)
    assert "cart" not in told(answer)
    first = answer.facts[0]
    assert first.source == "victoriametrics"
    assert first.link.startswith(f"{server.url}/vmui/#/?g0.expr=sum%20by")
    assert first.time == NOW


def test_a_busy_node_is_told_in_percent_and_its_port_left_out(server: Answers, tmp_path) -> None:
    nodes = [({"instance": "pool-1-a:9100"}, [0.2, 0.873]), ({"instance": "pool-1-b:9100"}, [0.99, 0.99])]
    with crew_at(NOW, tmp_path, **serve(server, node_cpu_seconds_total=nodes)) as crew:
        answer = ask(crew, "how busy is node pool-1-a?")
    assert "CPU of instance pool-1-a since 11:00: 87.3 % at 12:00" in told(answer)
    assert "pool-1-b" not in told(answer)


def test_the_highest_are_told_where_nothing_is_named(server: Answers, tmp_path) -> None:
    many = [({"namespace": "shop", "workload": f"w{i}"}, [float(i)]) for i in range(9)]
    with crew_at(NOW, tmp_path, **serve(server, container_cpu_usage_seconds_total=many)) as crew:
        text = told(ask(crew, "what uses most cpu?"))
    assert "workload w8" in text
    assert "workload w5" not in text


def test_the_span_is_the_one_that_was_asked_for(server: Answers, tmp_path) -> None:
    errors = [({"service": "checkout"}, [0.01, 0.5])]
    with crew_at(NOW, tmp_path, **serve(server, response_code=errors)) as crew:
        answer = ask(crew, "what was the error rate of checkout yesterday?")
    assert "server errors of service checkout since 2026-10-05 00:00" in told(answer)
    assert "highest 50.0 %" in told(answer)
    asked = next(one for one in server.requests if "response_code" in one.values["query"])
    assert float(asked.values["start"]) == (NOW - timedelta(hours=36)).timestamp()
    assert float(asked.values["end"]) == (NOW - timedelta(hours=12)).timestamp()


def test_two_clusters_in_one_store_are_asked_apart(server: Answers, tmp_path) -> None:
    clusters = [{"name": name, "metrics_labels": {"cluster": name}} for name in ("prod", "test")]
    settings = serve(server, container_cpu_usage_seconds_total=CPU)
    with crew_at(NOW, tmp_path, kubernetes=clusters, **settings) as crew:
        answer = ask(crew, "cpu use of payments")
    assert {fact.source for fact in answer.facts} >= {"victoriametrics prod", "victoriametrics test"}
    assert all('cluster="' in one.values["query"] for one in server.requests)


@pytest.mark.usefixtures("hurried")
def test_a_store_that_refuses_or_hangs_is_named(server: Answers, tmp_path) -> None:
    server.by_path[QUERY_RANGE] = status(503)
    with crew_at(NOW, tmp_path, victoriametrics={"url": server.url}) as crew:
        assert any(one.startswith("victoriametrics (") for one in ask(crew, "cpu use of payments").unavailable)
    server.by_path[QUERY_RANGE] = hang
    (tmp_path / "other").mkdir()
    with crew_at(NOW, tmp_path / "other", victoriametrics={"url": server.url}) as crew:
        answer = ask(crew, "cpu use of payments")
    assert any(one.startswith("victoriametrics (no answer within") for one in answer.unavailable)
    assert gathering.DEADLINE_SECONDS < 5
    assert answer.seconds < 30, "the store would hang for half a minute"


def test_one_refused_query_does_not_cost_the_others(server: Answers, tmp_path) -> None:
    good = Store(container_cpu_usage_seconds_total=CPU)

    def answer_some(handler: Handler, request: Request) -> None:
        (status(422, "too many points") if "node_cpu" in request.values["query"] else good)(handler, request)

    server.by_path[QUERY_RANGE] = answer_some
    with crew_at(NOW, tmp_path, victoriametrics={"url": server.url}) as crew:
        text = told(ask(crew, "cpu use of payments"))
    assert "workload payments" in text
    assert "CPU could not be read" in text
