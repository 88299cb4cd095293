"""`crew cluster`: files and clusters, text and JSON, and what it says when something is wrong with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.crew_command import CrewCommand
from tests.support.http_answers import Answer, http_answers, nobody_listens, status
from tests.support.kubernetes_api import Api, kubernetes_api, refuse
from tests.support.kubernetes_objects import ago, condition, container, pod, ready, thing
from tests.support.metrics_answers import MetricsTable
from tools.victoriametrics.client import QUERY, QUERY_RANGE


@pytest.fixture
def crew(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> CrewCommand:
    monkeypatch.chdir(tmp_path)
    return CrewCommand(monkeypatch, capsys)


def write(name: str, *objects: object) -> str:
    Path(name).write_text(json.dumps({"kind": "List", "items": list(objects)}))
    return name


def test_one_line_of_json_per_file_each_judged_on_its_own(crew: CrewCommand) -> None:
    broken = write("broken.json", pod(containerStatuses=container(9, waiting="CrashLoopBackOff")))
    sound = write("sound.json", pod(conditions=ready()))
    ended = crew("cluster", "check", "--input", broken, "--input", sound, "--json")
    first, second = [json.loads(line) for line in ended.out.splitlines()]
    assert (ended.code, first["file"], second) == (0, "broken.json", {"file": "sound.json", "findings": []})
    (found,) = first["findings"]
    assert {name: found[name] for name in ("code", "severity", "kind", "namespace", "name", "reason")} == {
        "code": "POD_CRASH_LOOPING",
        "severity": "warning",
        "kind": "Pod",
        "namespace": "team",
        "name": "shop-1",
        "reason": "CrashLoopBackOff",
    }
    assert found["message"]
    assert found["evidence"]
    assert set(found) == {"code", "severity", "kind", "namespace", "name", "reason", "message", "next_step", "evidence"}


def test_a_list_without_objects_is_an_answer_and_files_claim_no_more_than_they_hold(crew: CrewCommand) -> None:
    empty = write("empty.json")
    ended = crew("cluster", "check", "--input", empty, "--json")
    assert (ended.code, json.loads(ended.out)) == (0, {"file": empty, "findings": []})
    ended = crew("cluster", "check", "--input", write("sound.json", pod(conditions=ready())))
    assert "All clear: every object in this file was judged" in ended.out


def test_several_files_after_one_input_option(crew: CrewCommand) -> None:
    names = [write(f"{n}.json", pod(conditions=ready())) for n in range(3)]
    ended = crew("cluster", "check", "--json", "--input", *names)
    assert [json.loads(line)["file"] for line in ended.out.splitlines()] == names


def test_now_makes_a_slow_object_late(crew: CrewCommand) -> None:
    slow = thing("Widget", version="x.example.org/v1", status={"conditions": [condition("Ready", False, "Creating")]})
    name = write("slow.json", slow)
    assert json.loads(crew("cluster", "check", "--json", "--input", name).out)["findings"] == []
    ended = crew("cluster", "check", "--json", "--input", name, "--now", ago(hours=-9))
    assert [found["code"] for found in json.loads(ended.out)["findings"]] == ["CUSTOM_RESOURCE_STUCK"]


def test_a_broken_file_does_not_keep_the_others_from_being_judged(crew: CrewCommand) -> None:
    Path("cut.json").write_text('{"kind": "List", "items": [{"ki')
    ended = crew("cluster", "check", "--json", "--input", "cut.json", write("sound.json", pod(conditions=ready())))
    rows = [json.loads(line) for line in ended.out.splitlines()]
    assert ended.code == 1
    assert [(row["file"], "error" in row) for row in rows] == [("cut.json", True), ("sound.json", False)]
    assert ended.err.splitlines()[0].startswith("crew: cut.json is neither JSON nor YAML")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--input", "x", "--now", "yesterday"], "--now 'yesterday' is not a time"),
        (["--input", "x", "--context", "prod"], "--context and --input exclude each other"),
        (["--now", "2026-01-01T00:00:00Z"], "--now needs --input"),
    ],
)
def test_a_command_written_wrongly(crew: CrewCommand, arguments: list[str], words: str) -> None:
    ended = crew("cluster", "check", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err


def test_a_cluster_that_does_not_exist_is_named(crew: CrewCommand) -> None:
    ended = crew("cluster", "check", "--context", "nowhere")
    assert (ended.code, ended.out) == (1, "")
    assert "there is no cluster or context 'nowhere'" in ended.err


def test_a_cluster_is_read_and_its_gaps_are_named(crew: CrewCommand, tmp_path: Path) -> None:
    with kubernetes_api() as api:
        api.objects["/api/v1/pods"] = [pod(containerStatuses=container(waiting="ImagePullBackOff"))]
        api.faults["/api/v1/nodes"] = [refuse(403, "forbidden")] * 2
        cluster = {"name": "prod", "kubeconfig": str(api.kubeconfig(tmp_path))}
        Path("crew.yaml").write_text(json.dumps({"kubernetes": [cluster]}))
        row = json.loads(crew("cluster", "check", "--json").out)
        assert row["cluster"] == "prod"
        assert [found["code"] for found in row["findings"]] == ["POD_IMAGE_PULL_FAILED"]
        assert row["not_checked"] == {"Node": "this account may not read it (403)"}
        text = crew("cluster", "check", "--context", "prod").out
        assert "Not checked, so not known to be healthy" in text
        assert "All clear" not in text


def test_a_summary_counts_and_says_what_is_new_and_not_known(crew: CrewCommand, tmp_path: Path) -> None:
    with kubernetes_api() as api:
        api.objects["/api/v1/pods"] = [pod(containerStatuses=container(9, waiting="CrashLoopBackOff"))]
        cluster = {"name": "prod", "kubeconfig": str(api.kubeconfig(tmp_path))}
        Path("crew.yaml").write_text(json.dumps({"kubernetes": [cluster]}))
        row = json.loads(crew("cluster", "summary", "--json").out)
        assert (row["cluster"], row["counts"]["Pod"], row["all_clear"]) == ("prod", 1, False)
        assert [found["code"] for found in row["new_since_yesterday"]] == ["POD_CRASH_LOOPING"]
        assert (row["throttled"], row["volumes"]) == (None, None)
        assert row["not_checked"] == {
            "CPU throttling": "no metrics store is configured",
            "volumes": "no metrics store is configured",
        }
        text = crew("cluster", "summary").out
        assert "1 problem, 0 critical, 1 new since yesterday" in text
        assert max(map(len, text.splitlines())) <= 80


def summary_of(crew: CrewCommand, folder: Path, store: MetricsTable | Answer) -> dict[str, Any]:
    """Of a cluster with a healthy pod that has a CPU limit and a volume, over a metrics store that answers so."""
    limited = pod("db-0", conditions=ready())
    limited["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "1"}}
    limited["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    with kubernetes_api() as api, http_answers() as metrics:
        api.objects |= {
            "/api/v1/pods": [limited],
            "/api/v1/persistentvolumeclaims": [thing("PersistentVolumeClaim", "data", status={"phase": "Bound"})],
        }
        if isinstance(store, MetricsTable):
            store.serve_on(metrics)
        else:
            metrics.by_path |= {QUERY: store, QUERY_RANGE: store}
        cluster = {"name": "prod", "kubeconfig": str(api.kubeconfig(folder))}
        settings = {"kubernetes": [cluster], "victoriametrics": {"url": metrics.url}}
        Path("crew.yaml").write_text(json.dumps(settings))
        told: dict[str, Any] = json.loads(crew("cluster", "summary", "--json").out)
        told["text"] = crew("cluster", "summary").out
    return told


OF_THE_POD = {"namespace": "team", "pod": "db-0", "container": "app"}
OF_THE_VOLUME = {"namespace": "team", "persistentvolumeclaim": "data"}
GIB = 2**30
WELL = MetricsTable(
    now={
        "container_cpu_cfs_throttled_periods_total": [(OF_THE_POD, 0.0)],
        "container_cpu_cfs_periods_total": [(OF_THE_POD, 18_000.0)],
        "kubelet_volume_stats_used_bytes": [(OF_THE_VOLUME, 20 * GIB)],
        "kubelet_volume_stats_capacity_bytes": [(OF_THE_VOLUME, 100 * GIB)],
        "kubelet_volume_stats_available_bytes": [(OF_THE_VOLUME, 80 * GIB)],
    }
)


def test_all_clear_is_said_where_everything_was_measured(crew: CrewCommand, tmp_path: Path) -> None:
    told = summary_of(crew, tmp_path, WELL)
    assert (told["all_clear"], told["not_checked"], told["throttled"], told["volumes"]) == (True, {}, [], [])
    assert "All clear: every source answered, everything was measured" in told["text"]


@pytest.mark.parametrize(
    ("store", "why"),
    [
        (MetricsTable(), "no container_cpu series of any container"),
        (MetricsTable(now=WELL.now, partial=True), "the metrics store answered in part"),
        (status(401), "does not let us in (401)"),
        (status(422), "422"),
        (MetricsTable(now={"kubelet_volume_stats_used_bytes": [(OF_THE_VOLUME, 1.0)]}), "no kubelet_volume_stats"),
    ],
)
def test_all_clear_is_never_said_where_something_was_not_measured(
    crew: CrewCommand, tmp_path: Path, store: MetricsTable | Answer, why: str
) -> None:
    told = summary_of(crew, tmp_path, store)
    assert told["all_clear"] is False
    assert set(told["not_checked"]) == {"CPU throttling", "volumes"}
    assert any(why in reason for reason in told["not_checked"].values())
    assert "All clear" not in told["text"]


def test_a_full_volume_is_in_the_summary(crew: CrewCommand, tmp_path: Path) -> None:
    full = {
        "kubelet_volume_stats_used_bytes": [(OF_THE_VOLUME, 99.9 * GIB)],
        "kubelet_volume_stats_available_bytes": [(OF_THE_VOLUME, 0.1 * GIB)],
    }
    told = summary_of(crew, tmp_path, MetricsTable(now={**WELL.now, **full}))
    assert told["all_clear"] is False
    assert [row["code"] for row in told["volumes"]] == ["VOLUME_FULL"]


def test_a_cluster_that_does_not_answer_is_an_error_in_one_line(crew: CrewCommand, tmp_path: Path) -> None:
    with nobody_listens() as url:
        kubeconfig = Api(url=url).kubeconfig(tmp_path)
        Path("crew.yaml").write_text(json.dumps({"kubernetes": [{"name": "prod", "kubeconfig": str(kubeconfig)}]}))
        ended = crew("cluster", "check", "--json")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("crew: kubernetes: the connection failed")
