"""What an answer about clusters says of those that were not seen, over real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crews.runtime.context import CrewContext
from opscrew.findings.codes import finding
from opscrew.findings.ledger import Ledger
from opscrew.model.subject import Subject
from tests.support.asking import ask, crew_at, told
from tests.support.http_answers import nobody_listens
from tests.support.kubernetes_api import Api, kubernetes_api, refuse
from tests.support.kubernetes_objects import NOW, pod, ready

pytestmark = pytest.mark.usefixtures("unhurried")
QUESTION = "is anything wrong in the cluster?"


@pytest.fixture
def api() -> Iterator[Api]:
    with kubernetes_api() as running:
        running.objects["/api/v1/pods"] = [pod(conditions=ready())]
        yield running


def cluster(name: str, api: Api, folder: Path) -> dict[str, Any]:
    place = folder / name
    place.mkdir()
    return {"name": name, "kubeconfig": str(api.kubeconfig(place))}


def test_one_cluster_that_does_not_answer_does_not_cost_the_others(api: Api, tmp_path: Path) -> None:
    with nobody_listens() as url:
        parts = [cluster("prod", api, tmp_path), cluster("test", Api(url=url), tmp_path)]
        with crew_at(NOW, tmp_path, kubernetes=parts) as crew:
            answer = ask(crew, QUESTION)
    assert "cluster prod:" in told(answer)
    assert "Not seen: kubernetes: cluster test not measured: kubernetes: the connection failed" in answer.text
    assert "I see nothing wrong" not in answer.text


def test_kinds_that_may_not_be_listed_stand_beside_the_answer(api: Api, tmp_path: Path) -> None:
    api.faults["/api/v1/nodes"] = [refuse(403, "forbidden")] * 5
    api.faults["/api/v1/secrets"] = [refuse(403, "forbidden")] * 5
    with crew_at(NOW, tmp_path, kubernetes=[cluster("prod", api, tmp_path)]) as crew:
        answer = ask(crew, QUESTION)
    assert "kinds of objects not measured (Node" in answer.text
    assert "this account may not read it (403)" in answer.text


def noted(crew: CrewContext) -> None:
    """A finding which says that nobody measures something."""
    subject = Subject(system="kubernetes", kind="cluster", name="prod")
    unseen = finding("NOT_MEASURED", subject, "CPU throttling not measured: no series.", aspect="CPU throttling")
    Ledger(crew.engine, crew.clock).observe("cluster_health/prod", [unseen], complete=True)


def test_what_nobody_measures_stands_beside_answers_of_its_field_alone(api: Api, tmp_path: Path) -> None:
    with crew_at(NOW, tmp_path, kubernetes=[cluster("prod", api, tmp_path)]) as crew:
        noted(crew)
        health, builds = ask(crew, QUESTION), ask(crew, "which builds failed today?")
    assert "CPU throttling not measured: no series" in health.text
    assert "CPU throttling" not in builds.text
