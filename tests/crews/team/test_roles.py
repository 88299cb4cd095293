"""Roles and tasks are loaded strictly, and mistakes name file and line."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from crews.team.roles import MOST_TOOLS, ROOT, Role, allowed_tools, load_team
from crews.team.toolbox import ToolResult, ToolSpec
from opscrew.errors import UsageError

AGENT = "role: A\ngoal: B\nbackstory: C\ntools:\n  - kubernetes.pods_log\n"
TASK = "role: a\nwording: W\nexpected_output: E\noutput: answer\n"


def load(folder: Path, agent: str = AGENT, task: str = TASK):
    (folder / "agents").mkdir()
    (folder / "tasks").mkdir()
    (folder / "agents/a.yaml").write_text(agent, encoding="utf-8")
    (folder / "tasks/t.yaml").write_text(task, encoding="utf-8")
    (folder / "tasks/schedule.yaml").write_text("not: a task\n", encoding="utf-8")
    return load_team(folder / "agents", folder / "tasks")


def test_our_own_files_load() -> None:
    team = load_team()
    assert set(team.roles) == {"ci_engineer", "sre", "finops_analyst", "reporter"}
    assert {task.role for task in team.tasks.values()} == set(team.roles)
    assert all(len(role.tools) <= MOST_TOOLS for role in team.roles.values())


def test_a_good_pair_loads(tmp_path: Path) -> None:
    assert load(tmp_path).tasks["t"].output == "answer"


@pytest.mark.parametrize(
    ("agent", "task", "message"),
    [
        (AGENT + "colour: red\n", TASK, r"a\.yaml line 6: unknown field colour"),
        (
            AGENT.replace("goal: B", "gaol: B"),
            TASK,
            r"a\.yaml line \d: .*gaol|a\.yaml line 1: the field goal is missing",
        ),
        (AGENT.replace("pods_log", "pods_lgo"), TASK, r"a\.yaml line 5: there is no tool kubernetes\.pods_lgo"),
        (AGENT.replace("pods_log", "pods_delete"), TASK, r"a\.yaml line 5: there is no tool kubernetes\.pods_delete"),
        (
            AGENT.replace("kubernetes.pods_log", "bitbucket.stop_pipeline"),
            TASK,
            r"a\.yaml line 5: .* changes something",
        ),
        (AGENT.replace("kubernetes.pods_log", "'*'"), TASK, r"a\.yaml line 5: .*'\*' is no tool; write server\.tool"),
        (AGENT + "  - kubernetes.pods_log\n", TASK, r"a\.yaml line 6: kubernetes\.pods_log stands there twice"),
        (AGENT + "goal: D\n", TASK, r"a\.yaml line 6: goal stands there twice"),
        (AGENT.replace("goal: B", "goal: ''"), TASK, r"a\.yaml line 2: goal: String should have at least 1"),
        (AGENT + "x: [\n", TASK, r"a\.yaml line \d+: not valid YAML"),
        ("- a list\n", TASK, r"a\.yaml line 1: expected fields by name"),
        (AGENT, TASK.replace("role: a", "role: b"), r"t\.yaml line 1: there is no role b"),
        (AGENT, TASK.replace("answer", "anser"), r"t\.yaml line 4: there is no output anser"),
        (AGENT, TASK + "mood: sunny\n", r"t\.yaml line 5: unknown field mood"),
    ],
)
def test_a_mistake_names_file_and_line(tmp_path: Path, agent: str, task: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        load(tmp_path, agent, task)
    assert re.search(message, raised.value.message)


def test_an_empty_folder_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no YAML files"):
        load_team(tmp_path, tmp_path)


def test_tools_are_denied_by_default() -> None:
    def tool(name: str, *, mutates: bool = False) -> ToolSpec:
        return ToolSpec(name, "d", {}, lambda arguments: ToolResult(""), mutates)

    sre = load_team().roles["sre"]
    offered = [tool("kubernetes__pods_log"), tool("kubernetes_pods_log", mutates=True), tool("kubernetes_pods_exec")]
    assert [spec.name for spec in allowed_tools(sre, offered)] == ["kubernetes__pods_log"]


def test_a_role_that_names_all_of_one_server_gets_nothing_of_another() -> None:
    role = Role(role="R", goal="G", backstory="B", tools=("google.*", "a_b.c"))
    assert role.may_use("google", "logging_read")
    assert not role.may_use("google_logging", "read")
    assert role.may_use("a_b", "c")
    assert not role.may_use("a", "b_c")


def test_crewai_and_litellm_are_imported_in_this_folder_alone() -> None:
    pattern = re.compile(r"^\s*(?:import|from) (?:crewai|litellm)\b", re.MULTILINE)
    folders = ("cli", "server", "crews", "opscrew", "tools", "demo")
    found = [path for top in folders for path in (ROOT / top).rglob("*.py") if pattern.search(path.read_text("utf-8"))]
    assert found
    assert {path.parent for path in found} == {ROOT / "crews/team"}


def test_neither_the_command_line_nor_the_team_imports_them_before_a_model_is_asked() -> None:
    program = "import sys, main, crews.team.reason, crews.team.trial; print({'crewai', 'litellm'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
