"""`crew run`: lists, refuses, runs and records; also beside a running daemon."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crews.runtime.registry import CREWS
from opscrew.store.database import open_database
from opscrew.store.runs import latest_runs
from tests.support.crew_program import crew
from tests.support.daemon import Daemon


def test_the_list_names_every_crew_and_what_it_misses(tmp_path: Path) -> None:
    listed = [json.loads(line) for line in crew(tmp_path, "run", "--json").stdout.splitlines()]
    names = [entry["crew"] for entry in listed]
    assert names == [entry.name for entry in CREWS]
    assert listed[names.index("ci_watch")]["not_configured"] == ["bitbucket"]
    lines = crew(tmp_path, "run", "--list").stdout.splitlines()
    assert "(off: bitbucket not configured)" in lines[names.index("ci_watch") + 1]
    assert max(map(len, lines)) <= 80


def test_what_cannot_run_says_why(tmp_path: Path) -> None:
    unknown = crew(tmp_path, "run", "ci_wach")
    assert unknown.returncode == 1
    assert "there is no crew ci_wach (did you mean ci_watch?)" in unknown.stderr
    idle = crew(tmp_path, "run", "ci_watch")
    assert idle.returncode == 2
    assert "bitbucket is not configured" in idle.stderr
    both = crew(tmp_path, "run", "storage_growth")
    assert "kubernetes and victoriametrics are not configured" in both.stderr


@pytest.mark.parametrize("name", ["ci_watch", "cluster_health", "storage_growth", "alert_triage"])
def test_a_run_that_could_read_nothing_fails(tmp_path: Path, name: str) -> None:
    server = "https://127.0.0.1:1"
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        f"{{current-context: t, clusters: [{{name: t, cluster: {{server: '{server}'}}}}], users: [],"
        " contexts: [{name: t, context: {cluster: t}}]}"
    )
    ended = crew(
        tmp_path,
        "run",
        name,
        "--json",
        CREW_BITBUCKET__WORKSPACE="acme",
        CREW_BITBUCKET__URL="http://127.0.0.1:1/2.0",
        CREW_KUBERNETES=json.dumps([{"name": "prod", "kubeconfig": str(kubeconfig)}]),
        CREW_VICTORIAMETRICS__URL="http://127.0.0.1:1",
        CREW_ALERTMANAGER__URL="http://127.0.0.1:1",
    )
    told = json.loads(ended.stdout)
    assert (ended.returncode, told["read_nothing"], told["outcome"]) == (1, True, "partial"), ended.stderr
    assert told["unavailable"]


def test_a_rule_that_means_nothing_is_refused_before_anything_runs(tmp_path: Path) -> None:
    for variable, value, words in (
        ("CREW_POLICY", '{"rerun_pipelin": "auto"}', "unknown action rerun_pipelin (did you mean rerun_pipeline?)"),
        ("CREW_QUIET_HOURS", "25:00-xx", "quiet_hours: cannot read '25:00-xx'"),
    ):
        for command in (("run", "action_upkeep"), ("serve",)):
            ended = crew(tmp_path, *command, **{variable: value})
            assert ended.returncode == 2
            assert words in ended.stderr
            assert "Traceback" not in ended.stderr


def test_it_runs_beside_the_daemon_and_records(tmp_path: Path) -> None:
    with Daemon(tmp_path / "data", {"CREW_LOG_LEVEL": "warning"}) as daemon:
        ended = crew(tmp_path, "run", "housekeeping", "--json")
        assert ended.returncode == 0, ended.stderr
        told = json.loads(ended.stdout)
        assert (told["crew"], told["outcome"]) == ("housekeeping", "ok")
        assert daemon.stop() == 0
    engine = open_database(f"sqlite:///{tmp_path / 'data' / 'crew.db'}")
    assert [run.outcome for run in latest_runs(engine, "housekeeping")] == ["ok"]
    engine.dispose()
