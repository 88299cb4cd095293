"""Figures of running systems, over a real socket."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from crews.ask.gather import run as gathering
from opscrew.cluster.names import remember
from tests.support.asking import ask, crew_at, told
from tests.support.http_answers import Answers, Handler, Request, hang, http_answers, status, value
from tools.victoriametrics.client import QUERY, QUERY_RANGE

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


RESTARTS = {"payments": "7", "cart": "0"}
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
    assert first.link.startswith(f"{server.url}/vmui/#/?g0.expr=WITH%20%28own")
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
    with crew_at(NOW, tmp_path, **serve(server, istio_requests_total=errors)) as crew:
        answer = ask(crew, "what was the error rate of checkout yesterday?")
    assert "server errors of service checkout since 2026-10-05 00:00" in told(answer)
    assert "highest 50.0 %" in told(answer)
    asked = next(one for one in server.requests if "istio_requests_total" in one.values["query"])
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
        answer = ask(crew, "cpu use of payments")
    assert "workload payments" in told(answer)
    (gap,) = answer.not_measured
    assert gap.startswith("victoriametrics: CPU partly measured: victoriametrics: answered 422: too many points")
    assert f"Not seen: {gap.rstrip('.')}." in answer.text


FIVE = [{"name": f"c{number}", "metrics_labels": {"cluster": f"c{number}"}} for number in range(1, 6)]


def only(label: str, found: Store) -> Callable[[Handler, Request], None]:
    """A store that has the series of one cluster alone."""
    return lambda handler, request: (found if label in request.values["query"] else Store())(handler, request)


def test_the_fifth_cluster_is_asked_too_and_those_without_series_are_named(server: Answers, tmp_path) -> None:
    server.by_path[QUERY_RANGE] = only('cluster="c5"', Store(container_cpu_usage_seconds_total=CPU))
    with crew_at(NOW, tmp_path, kubernetes=FIVE, victoriametrics={"url": server.url}) as crew:
        answer = ask(crew, "cpu use of payments")
    assert "CPU of workload payments in namespace shop, cluster c5," in told(answer)
    assert [gap.split(" not measured")[0] for gap in answer.not_measured] == [
        f"victoriametrics: CPU of cluster c{number}" for number in range(1, 5)
    ]
    assert 'no series of it in that time with {cluster="c1"}' in answer.text


def test_labels_that_no_series_has_are_no_look(server: Answers, tmp_path) -> None:
    server.by_path[QUERY_RANGE] = only('cluster="prod"', Store(container_cpu_usage_seconds_total=CPU))
    cluster = {"name": "prod", "metrics_labels": {"cluster": "prdo"}}
    with crew_at(NOW, tmp_path, kubernetes=[cluster], victoriametrics={"url": server.url}) as crew:
        answer = ask(crew, "cpu use of payments")
    assert "figures in VictoriaMetrics" not in answer.text
    assert 'CPU not measured: there are no series of it in that time with {cluster="prdo"}' in answer.text


def test_the_labels_of_a_single_cluster_are_sent(server: Answers, tmp_path) -> None:
    cluster = {"name": "prod", "metrics_labels": {"cluster": "prod"}}
    settings = serve(server, container_cpu_usage_seconds_total=CPU)
    with crew_at(NOW, tmp_path, kubernetes=[cluster], **settings) as crew:
        ask(crew, "cpu use of payments")
    assert all('cluster="prod"' in one.values["query"] for one in server.requests)


def test_a_cluster_without_labels_beside_others_is_named(server: Answers, tmp_path) -> None:
    settings = serve(server, container_cpu_usage_seconds_total=CPU)
    with crew_at(NOW, tmp_path, kubernetes=[*FIVE[:1], {"name": "test"}], **settings) as crew:
        answer = ask(crew, "cpu use of payments")
    assert "1 of 2 clusters not measured (test): they have no metrics_labels" in answer.text


def test_an_answer_in_part_is_said(server: Answers, tmp_path) -> None:
    found = [{"metric": CPU[0][0], "values": [[NOW.timestamp(), "0.5"]]}]
    answer = {"status": "success", "isPartial": True, "data": {"resultType": "matrix", "result": found}}
    server.by_path[QUERY_RANGE] = value(answer)
    with crew_at(NOW, tmp_path, victoriametrics={"url": server.url}) as crew:
        said = ask(crew, "cpu use of payments")
    assert "0.50 cores" in told(said)
    assert "CPU partly measured: the metrics store answered in part" in said.text


def test_series_of_others_alone_are_no_answer(server: Answers, tmp_path) -> None:
    settings = serve(server, container_cpu_usage_seconds_total=CPU[1:])
    with crew_at(NOW, tmp_path, kubernetes=[{"name": "prod"}], **settings) as crew:
        remember(crew.engine, "prod", [("Deployment", "shop", "payments")], ["Deployment"])
        known, unknown = ask(crew, "cpu use of payments"), ask(crew, "how busy is node pool-1-z?")
    assert "CPU not measured: none of 1 series is of payments" in known.text
    assert "CPU not measured: none of 1 series is of what the question names" in unknown.text


def test_a_cluster_with_a_store_of_its_own_is_asked_there(server: Answers, tmp_path) -> None:
    settings = serve(server, container_cpu_usage_seconds_total=CPU)
    with http_answers() as own:
        own.by_path[f"/select/12:3/prometheus{QUERY_RANGE}"] = Store(container_cpu_usage_seconds_total=CPU)
        store = {"url": own.url, "tenant": "12:3"}
        clusters = [{"name": "prod"}, {"name": "test", "victoriametrics": store}]
        with crew_at(NOW, tmp_path, kubernetes=clusters, **settings) as crew:
            answer = ask(crew, "cpu use of payments")
    assert "CPU of workload payments in namespace shop, cluster prod," in told(answer)
    assert "CPU of workload payments in namespace shop, cluster test," in told(answer)
    links = {fact.source: fact.link for fact in answer.facts if fact.link}
    assert links["victoriametrics test"].startswith(f"{own.url}/select/12:3/prometheus/vmui/#/?g0.expr=")
    assert not any("have no metrics_labels" in gap for gap in answer.not_measured)


def test_restarts_are_told_in_all_and_not_at_a_time(server: Answers, tmp_path) -> None:
    rows = [
        {"metric": {"namespace": "shop", "workload": name}, "value": [0, count]} for name, count in RESTARTS.items()
    ]
    server.by_path[QUERY] = value({"status": "success", "data": {"resultType": "vector", "result": rows}})
    server.by_path[QUERY_RANGE] = Store()
    with crew_at(NOW, tmp_path, victoriametrics={"url": server.url}) as crew:
        named = told(ask(crew, "cpu and restarts of cart in the last hour"))
        most = told(ask(crew, "cpu use and restarts, which has most?"))
    assert "restarts of workload cart in namespace shop since 11:00: 0 restarts until 12:00" in named
    assert "workload payments in namespace shop since 11:00: 7 restarts until 12:00" in most
    assert "workload cart" not in most
    asked = next(one.values for one in server.requests if "restarts_total" in one.values["query"])
    assert "[3600s:60s]" in asked["query"]
