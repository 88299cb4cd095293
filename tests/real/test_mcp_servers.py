"""The maintainers' own MCP servers through the gateway, as the shipped list starts them."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from pydantic import SecretStr

from crews.mcp.servers import open_gateway
from crews.team.gateway_tools import tools_for
from crews.team.roles import load_team
from demo.grafana.app import TOKEN, GrafanaWorld, create_app
from demo.serving import serve
from opscrew.settings import KubernetesSettings, McpSettings, Settings, UrlSettings
from tests.support import mcp_standins
from tests.support.kubernetes import ControlPlane, control_plane, missing_programs
from tests.support.parts import part
from tests.support.victoria import victoria_logs, victoria_metrics, write_logs, write_samples
from tools.mcp.gateway import Gateway
from tools.mcp.servers import SERVERS_FILE

pytestmark = pytest.mark.real

STANDINS = Path(mcp_standins.__file__)
NOW = datetime.now(UTC).replace(microsecond=0)


def a_pod(name: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "containers": [
                {
                    "name": "app",
                    "image": "shop/app:1",
                    "env": [{"name": "DB_PASSWORD", "value": "hunter2hunter2"}, {"name": "COLOUR", "value": "green"}],
                }
            ],
            # No controller is there to make a service account.
            "automountServiceAccountToken": False,
        },
    }


@contextmanager
def gateway(folder: Path, commands: dict[str, list[str]], **settings: object) -> Iterator[Gateway]:
    """The shipped list, where programs are called by their path because they are not installed on this machine."""
    entries = yaml.safe_load(SERVERS_FILE.read_text(encoding="utf-8"))
    for name, program in commands.items():
        entries[name]["command"][0:1] = program
        entries[name] |= {"start_seconds": 60, "timeout_seconds": 60}
    own = folder / "servers.yaml"
    own.write_text(yaml.safe_dump(entries, sort_keys=False), encoding="utf-8")
    built = Settings(mcp=McpSettings(servers=own), data_dir=folder, **settings)
    with open_gateway(built, {"bitbucket": lambda: None}) as opened:  # type: ignore[arg-type,return-value]
        yield opened


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with victoria_metrics(tmp_path_factory.mktemp("vm")) as url:
        points = [(NOW - timedelta(minutes=n), 10.0 + n) for n in range(60, -1, -1)]
        # NOW is when the tests were collected, perhaps many minutes ago; the servers ask for their own present.
        points += [(NOW + timedelta(minutes=n), 10.0) for n in range(1, 91)]
        write_samples(
            url, [({"__name__": "queue_length", "pod": f"cart-{n}", "namespace": "shop"}, points) for n in range(3)]
        )
        yield url


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    missing = missing_programs(full=False, kwok=False)
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}; run `make parts`")
    with control_plane(tmp_path_factory.mktemp("cluster")) as plane:
        yield plane


def test_mcp_grafana_reads_dashboards_and_metrics(tmp_path, metrics) -> None:
    program = str(part("mcp-grafana-2.1.1", "mcp-grafana", "mcp_servers"))
    world = GrafanaWorld(metrics_url=metrics)
    world.annotations.append(
        {"id": 1, "time": int(NOW.timestamp() * 1000), "text": "Deploy of shop 1.4.2", "tags": ["deploy"]}
    )
    with serve(create_app(world)) as url:
        grafana = UrlSettings(url=url, token=SecretStr(TOKEN))
        with gateway(tmp_path, {"grafana": [program]}, grafana=grafana) as opened:
            state = opened.state("grafana")
            assert state.condition == "ready", state.detail
            assert state.absent == ()
            found = opened.call("grafana", "search_dashboards", {"query": "shop"})
            assert "Shop overview" in found.text
            queried = opened.call(
                "grafana",
                "query_prometheus",
                {"datasourceUid": "metrics", "expr": "queue_length", "queryType": "instant", "endTime": "now"},
            )
            assert queried.status == "ok", queried.text
            assert "cart-2" in queried.text
            since = int((NOW - timedelta(hours=1)).timestamp() * 1000)
            notes = opened.call("grafana", "get_annotations", {"from": since, "to": since + 7_200_000})
            assert "Deploy of shop 1.4.2" in notes.text
            wrong = opened.call("grafana", "get_dashboard_summary", {"uid": "nothing-here"})
            assert wrong.status == "error"
            refused = opened.call("grafana", "update_dashboard", {}, allow_changes=True)
            assert "not among the tools" in refused.text


def test_grafana_refusing_the_token_is_told_as_a_failure(tmp_path) -> None:
    program = str(part("mcp-grafana-2.1.1", "mcp-grafana", "mcp_servers"))
    with serve(create_app(GrafanaWorld())) as url:
        grafana = UrlSettings(url=url, token=SecretStr("wrong-token-here"))
        with gateway(tmp_path, {"grafana": [program]}, grafana=grafana) as opened:
            result = opened.call("grafana", "search_dashboards", {"query": "shop"})
    assert result.status == "error"
    assert "wrong-token-here" not in result.text


def test_kubernetes_mcp_server_reads_a_real_api(tmp_path, cluster) -> None:
    program = str(part("kubernetes-mcp-server-0.0.67", "kubernetes-mcp-server", "mcp_servers"))
    names = [f"cart-{n}" for n in range(40)]
    cluster.apply(*(a_pod(name) for name in names))
    crossed = yaml.safe_load(cluster.kubeconfig.read_text())
    crossed["contexts"].append({"name": "nowhere", "context": {"cluster": "test", "user": "nobody"}})
    crossed["current-context"] = "nowhere"
    file = cluster.folder / "crossed.kubeconfig"
    file.write_text(yaml.safe_dump(crossed))
    # The file's current context leads nowhere; the one that the settings name must be used.
    clusters = (KubernetesSettings(name="test", kubeconfig=file, context="test"),)
    with gateway(tmp_path, {"kubernetes": [program]}, kubernetes=clusters) as opened:
        state = opened.state("kubernetes")
        assert state.condition == "ready", state.detail
        assert state.absent == ()
        role = tools_for("sre", load_team().roles["sre"], opened)
        assert {tool.name for tool in role.tools} == {
            "kubernetes_events_list",
            "kubernetes_pods_log",
            "kubernetes_resources_get",
        }
        assert role.unavailable == ()
        listed = opened.call("kubernetes", "pods_list_in_namespace", {"namespace": "default"})
        assert listed.status == "ok", listed.text
        assert "cart-1" in listed.text
        assert len(listed.text) < 4_200
        one = opened.call(
            "kubernetes", "resources_get", {"apiVersion": "v1", "kind": "Pod", "name": "cart-7", "namespace": "default"}
        )
        assert "name: cart-7" in one.text
        assert "COLOUR" in one.text
        secret = {"apiVersion": "v1", "kind": "Secret", "name": "keys", "namespace": "default"}
        assert "is not asked for kind Secret" in opened.call("kubernetes", "resources_get", secret).text
        assert "hunter2hunter2" not in one.text
        gone = opened.call("kubernetes", "pods_get", {"name": "not-there", "namespace": "default"})
        assert gone.status == "error"
        deleted = opened.call("kubernetes", "pods_delete", {"name": "cart-1"}, allow_changes=True)
        assert "not among the tools" in deleted.text


def test_metrics_questions_reach_a_real_victoriametrics(tmp_path, metrics) -> None:
    commands = {"victoriametrics": [sys.executable, str(STANDINS), "victoriametrics"]}
    with gateway(tmp_path, commands, victoriametrics=UrlSettings(url=metrics)) as opened:
        state = opened.state("victoriametrics")
        assert (state.condition, state.absent) == ("ready", ())
        now = opened.call("victoriametrics", "query", {"query": "queue_length"})
        assert "cart-0 | 10" in now.text
        start = (NOW - timedelta(minutes=50)).isoformat().replace("+00:00", "Z")
        over = opened.call("victoriametrics", "query_range", {"query": "queue_length", "start": start, "step": "1m"})
        assert "points | first | last | min | max" in over.text or "points=" in over.text
        assert opened.call("victoriametrics", "query", {"query": "no_such_metric"}).status == "no_data"
        assert opened.call("victoriametrics", "query", {"query": "sum(("}).status == "error"
        assert "unknown tool" not in opened.call("victoriametrics", "tsdb_status", {"topN": 3}).text


def test_log_questions_reach_a_real_victorialogs(tmp_path) -> None:
    with victoria_logs(tmp_path) as url:
        write_logs(
            url,
            (
                {
                    "_time": (NOW - timedelta(seconds=n)).isoformat(),
                    "_msg": f"timeout after {n} ms",
                    "kubernetes.pod_namespace": "shop",
                    "kubernetes.pod_name": "cart-0",
                }
                for n in range(500)
            ),
        )
        commands = {"victorialogs": [sys.executable, str(STANDINS), "victorialogs"]}
        with gateway(tmp_path, commands, victorialogs=UrlSettings(url=url)) as opened:
            since = {"start": "1h"}
            everything = opened.call("victorialogs", "query", {"query": "timeout", **since})
            assert everything.status == "ok", everything.text
            assert everything.left_out > 400
            assert len(everything.text) < 3_200
            top = opened.call("victorialogs", "query", {"query": "* | collapse_nums | top 5 by (_msg)", **since})
            assert "timeout after <N> ms" in top.text
            assert len(top.text) < 300
            assert opened.call("victorialogs", "query", {"query": "nothing_like_this", **since}).status == "no_data"


def test_eight_tools_cost_a_fraction_of_what_the_servers_describe(tmp_path, metrics, cluster) -> None:
    grafana = str(part("mcp-grafana-2.1.1", "mcp-grafana", "mcp_servers"))
    kubernetes = str(part("kubernetes-mcp-server-0.0.67", "kubernetes-mcp-server", "mcp_servers"))
    commands = {"grafana": [grafana], "kubernetes": [kubernetes]}
    with serve(create_app(GrafanaWorld(metrics_url=metrics))) as url:
        settings = {
            "grafana": UrlSettings(url=url, token=SecretStr(TOKEN)),
            "kubernetes": (KubernetesSettings(name="test", kubeconfig=cluster.kubeconfig),),
        }
        with gateway(tmp_path, commands, **settings) as opened:
            started = time.monotonic()
            tools = [tool for name in ("grafana", "kubernetes") for tool in opened.tools(name)]
            seconds = time.monotonic() - started
    spent, full = sum(tool.tokens for tool in tools), sum(tool.full_tokens for tool in tools)
    assert spent < full / 2
    assert seconds < 60
