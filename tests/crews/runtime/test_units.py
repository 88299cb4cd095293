"""Every unit is listed where it must be: from the files to the registries, so that none is written and never runs.

Each failure names the file and the place where it is missing.
"""

from __future__ import annotations

import ast
import importlib
import tomllib
from collections.abc import Iterator
from pathlib import Path

import yaml

from crews.ask.gather.registry import COLLECTORS
from crews.runtime.registry import CREWS
from crews.runtime.schedule import SCHEDULE_FILE
from opscrew.actions.catalog import catalog
from opscrew.answer.understand.intents import intents
from opscrew.findings.codes import codes

ROOT = Path(__file__).resolve().parents[3]
SCHEDULED = set(yaml.safe_load(SCHEDULE_FILE.read_text(encoding="utf-8")))
BY_PEOPLE_ALONE = {"resize_vm_group", "drain_runner"}
"""Kinds of action that can be proposed and that nothing here carries out."""


def modules(folder: str) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((ROOT / folder).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        yield name, ast.parse(path.read_text(encoding="utf-8"))


def is_a_job(tree: ast.Module) -> bool:
    """``def run(context: CrewContext) -> Run``, at the top of the module; a default may follow, for tests."""
    return any(
        isinstance(node, ast.FunctionDef)
        and node.name == "run"
        and isinstance(node.returns, ast.Name)
        and node.returns.id == "Run"
        and [one.arg for one in node.args.args][:1] == ["context"]
        for node in tree.body
    )


def test_every_job_is_registered_and_runs_by_itself() -> None:
    written = {name for name, tree in modules("crews") if is_a_job(tree)}
    assert len(written) >= 7
    assert written == {crew.module for crew in CREWS}, "crews/runtime/registry.py"
    assert {crew.name for crew in CREWS} == SCHEDULED, "tasks/schedule.yaml"


def test_a_folder_of_a_job_has_its_job_and_nothing_else_calls_itself_so() -> None:
    jobs = {name for name, _ in modules("crews") if name.endswith(".job")} - {"crews.ask.job"}
    assert jobs <= {crew.module for crew in CREWS}, "a job.py that is no job"


def test_every_executor_is_connected_and_its_kind_is_in_the_catalogue() -> None:
    connected = {
        node.func.id
        for node in ast.walk(ast.parse((ROOT / "crews/actions/connected.py").read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    kinds = {}
    for name, tree in modules("crews/actions"):
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and any(
                isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == "kind" for one in node.body
            ):
                assert node.name in connected, f"{name}.{node.name} is missing in crews/actions/connected.py"
                kinds[getattr(importlib.import_module(name), node.name).kind] = name
    assert set(kinds) | BY_PEOPLE_ALONE == set(catalog()), "opscrew/actions/catalog.yaml"
    assert set(kinds).isdisjoint(BY_PEOPLE_ALONE)


def test_every_system_has_its_check_and_stands_in_the_contract() -> None:
    systems = {path.parent.name for path in (ROOT / "tools").glob("*/client.py")}
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    apart = next(one for one in contracts if one["name"] == "Systems do not know each other")["modules"]
    missing = {f"tools.{one}" for one in systems} - set(apart)
    assert missing == set(), "pyproject.toml, Systems do not know each other"
    checks = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "crews/checks").glob("*.py"))
    unchecked = {system for system in systems - {"ollama"} if system not in checks}
    assert unchecked == set(), "crews/checks/connections.py"
    assert "ModelSettings" in checks, "a model host is checked by what the settings call it"


def test_every_collector_is_registered_and_asked_by_some_form_of_question() -> None:
    listed = {one.collect.__module__ for one in COLLECTORS}
    written = {
        name
        for name, tree in modules("crews/ask/gather")
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name == "collect"
    }
    assert written == listed, "crews/ask/gather/registry.py"
    asked = {name for intent in intents().values() for name in intent.collectors}
    assert asked == {one.name for one in COLLECTORS}, "opscrew/answer/understand/intents.yaml"


OF_THE_CREW = {
    *("AUDIT_BROKEN", "CREW_FAILED", "CREW_OVERRUN", "NOTIFY_FAILING", "NOT_MEASURED", "SYSTEM_UNAVAILABLE"),
}
"""Codes about the crew itself: they are told with every answer about anything."""


def test_every_finding_code_belongs_to_some_question() -> None:
    prefixes = {prefix for intent in intents().values() for prefix in intent.codes}
    nowhere = {code for code in codes() if not code.startswith(tuple(prefixes))}
    assert nowhere == OF_THE_CREW, "opscrew/answer/understand/intents.yaml: codes"
