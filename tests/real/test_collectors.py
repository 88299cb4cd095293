"""What a question brings from the real VictoriaMetrics, VictoriaLogs, vmalert and Alertmanager."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.asking import ask, crew_at, told
from tests.support.victoria import alertmanager, victoria_logs, victoria_metrics, vmalert, write_logs, write_samples

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("unhurried")]

RULES = """
groups:
  - name: shop
    rules:
      - alert: CartIsSlow
        expr: cart_slow > 0
        labels: {severity: critical}
        annotations: {summary: "cart answers late"}
"""
STEP = 30


def climbing(now: datetime, per_second: float, hours: int = 2) -> list[tuple[datetime, float]]:
    """A counter that grows evenly, up to an hour ahead, so that the test may take its time."""
    return [(now + timedelta(seconds=s), (s + hours * 3600) * per_second) for s in range(-hours * 3600, 3600, STEP)]


def level(now: datetime, value: float) -> list[tuple[datetime, float]]:
    return [(now + timedelta(seconds=s), value) for s in range(-7200, 3600, STEP)]


@pytest.fixture(scope="module")
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory, now: datetime) -> Iterator[str]:
    def pod(name: str, **more: str) -> Mapping[str, str]:
        return {"namespace": "shop", "pod": name, "container": "app", **more}

    claim = {"namespace": "shop", "persistentvolumeclaim": "data"}
    cpu, memory = "container_cpu_usage_seconds_total", "container_memory_working_set_bytes"
    requests = {"__name__": "http_requests_total", "service": "checkout"}
    with victoria_metrics(tmp_path_factory.mktemp("metrics")) as url:
        write_samples(
            url,
            [
                ({"__name__": cpu, **pod("cart-7f9c6d8b54-x2k4q")}, climbing(now, 0.25)),
                ({"__name__": cpu, **pod("cart-7f9c6d8b54-b8wvz")}, climbing(now, 0.5)),
                ({"__name__": cpu, **pod("node-exporter-x2k4q")}, climbing(now, 0.125)),
                ({"__name__": cpu, **pod("postgres-0")}, climbing(now, 1.5)),
                ({"__name__": cpu, **pod("lonely")}, climbing(now, 0.0625)),
                ({"__name__": memory, **pod("postgres-0")}, level(now, 3 * 2**30)),
                ({"__name__": "node_cpu_seconds_total", "mode": "idle", "instance": "pool-a:9100"}, climbing(now, 0.2)),
                ({**requests, "code": "200"}, climbing(now, 9.0)),
                ({**requests, "code": "503"}, climbing(now, 1.0)),
                ({"__name__": "istio_requests_total", "app": "web", "response_code": "200"}, climbing(now, 4.0)),
                ({"__name__": "kubelet_volume_stats_available_bytes", **claim}, level(now, 10.0)),
                ({"__name__": "kubelet_volume_stats_capacity_bytes", **claim}, level(now, 80.0)),
                ({"__name__": "cart_slow", "namespace": "shop", "service": "cart"}, level(now, 1.0)),
            ],
        )  # fmt: skip
        yield url


def test_use_of_a_workload_is_the_sum_of_its_pods_whatever_their_suffix(metrics: str, now, tmp_path) -> None:
    with crew_at(now, tmp_path, victoriametrics={"url": metrics}) as crew:
        cart = told(ask(crew, "CPU of cart over the last hour"))
        top = told(ask(crew, "what uses most cpu?"))
        lonely = told(ask(crew, "cpu use of lonely"))
        exporter = told(ask(crew, "cpu use of node-exporter"))
        memory = told(ask(crew, "how much memory does postgres use?"))
    assert "CPU of workload cart in namespace shop" in cart
    assert "mean 0.75 cores" in cart
    assert "workload postgres in namespace shop" in top
    assert "mean 0.06 cores" in lonely
    assert "workload node-exporter in namespace shop" in exporter
    assert "memory of workload postgres in namespace shop" in memory
    assert "3.0 GiB" in memory


def test_nodes_errors_traffic_and_volumes(metrics: str, now, tmp_path) -> None:
    with crew_at(now, tmp_path, victoriametrics={"url": metrics}) as crew:
        node = told(ask(crew, "how busy is node pool-a?"))
        errors = told(ask(crew, "error rate of checkout in the last hour"))
        traffic = told(ask(crew, "how many requests per second does web get?"))
        volume = told(ask(crew, "how full is the volume data?"))
        everything = told(ask(crew, "how much traffic is there?"))
    assert "CPU of instance pool-a" in node
    assert "mean 80.0 %" in node
    assert "server errors of service checkout" in errors
    assert "mean 10.0 %" in errors
    assert "requests of app web" in traffic
    assert "4.0 requests a second" in traffic
    assert "persistentvolumeclaim data in namespace shop" in volume
    assert "87.5 %" in volume
    assert "10.0 requests a second" in everything


def test_every_measure_is_understood_by_the_server(metrics: str, now, tmp_path) -> None:
    question = "cpu, memory, error rate, requests, latency, network, restarts and disk space of everything"
    with crew_at(now, tmp_path, victoriametrics={"url": metrics}) as crew:
        gaps = ask(crew, f"how busy is it? {question}").not_measured
    assert not [gap for gap in gaps if "answered 4" in gap]


def test_an_alert_that_fires_is_told_now_and_found_in_the_past(metrics: str, tmp_path) -> None:
    with alertmanager(tmp_path) as routed, vmalert(tmp_path, RULES, metrics=metrics, notifier=routed) as rules:
        settings = {"vmalert": {"url": rules}, "alertmanager": {"url": routed}, "victoriametrics": {"url": metrics}}
        ends = time.monotonic() + 120
        text = ""
        while "alertmanager and vmalert: 1 alert firing now (1 critical)" not in text or "CartIsSlow" not in text:
            assert time.monotonic() < ends, text
            with crew_at(datetime.now(UTC), tmp_path, **settings) as crew:
                text = told(ask(crew, "which alerts fire now?"))
        assert "CartIsSlow on Service shop/cart: cart answers late" in text
        later = datetime.now(UTC) + timedelta(minutes=20)
        span = f"between {later - timedelta(hours=1):%H:%M} and {later - timedelta(minutes=10):%H:%M}"
        past = ""
        while "CartIsSlow in namespace shop fired" not in past:
            assert time.monotonic() < ends, past
            with crew_at(later, tmp_path, **settings) as crew:
                past = told(ask(crew, f"which alerts fired {span}?"))
        assert "1 different alerts fired" in past


def test_error_lines_of_a_workload(now: datetime, tmp_path) -> None:
    def line(pod: str, message: str, minute: int) -> dict[str, str]:
        at = (now - timedelta(minutes=minute)).isoformat()
        return {"_time": at, "_msg": message, "kubernetes.pod_namespace": "shop", "kubernetes.pod_name": pod}

    entries = [line("cart-7f9c6d8b54-x2k4q", f"error: order {i} was refused", i) for i in range(1, 21)]
    entries += [line("cart-7f9c6d8b54-x2k4q", "order 7 was sent", 5), line("cartoon-0", "error: no ink", 3)]
    entries += [line("web-0", "GET / 200", 2)]
    with victoria_logs(tmp_path) as url, crew_at(now, tmp_path, victorialogs={"url": url}) as crew:
        write_logs(url, entries)
        ends = time.monotonic() + 120
        text = ""
        while "20 error lines of cart " not in text:
            assert time.monotonic() < ends, text
            text = told(ask(crew, "log errors of cart in the last hour"))
        assert "20 times: error: order <N> was refused" in text
        assert "cartoon" not in text
        assert "21 error lines from" in told(ask(crew, "any errors in the logs?"))
