"""Every finding code has its runbook, every runbook its four sections, and search finds each by its own subject."""

import re
from pathlib import Path

import pytest

from opscrew.findings.codes import codes
from opscrew.memory.library import KNOWLEDGE, files
from opscrew.memory.search import Search

DEMO = KNOWLEDGE.parent / "demo"
DOCUMENTS = [*files(KNOWLEDGE), *files(DEMO)]
RUNBOOKS = [document for document in DOCUMENTS if document.kind == "runbook"]
INCIDENTS = [document for document in DOCUMENTS if document.kind == "incident"]
SECTIONS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]
SYSTEMS = {"bitbucket", "kubernetes", "victoriametrics", "victorialogs", "alertmanager", "grafana", "gcp", "crew"}


def test_each_code_has_its_runbook_with_the_same_title_and_severity() -> None:
    known = {document.code: document for document in RUNBOOKS}
    assert sorted(set(codes()) - set(known)) == []
    for name, code in codes().items():
        assert (known[name].title, known[name].severity) == (code.title, code.severity.value), name


@pytest.mark.parametrize("document", RUNBOOKS, ids=lambda document: document.code)
def test_a_runbook_has_its_sections_and_says_something_in_each(document) -> None:
    assert Path(document.source).stem == document.code
    assert document.system in SYSTEMS
    assert re.findall(r"^## (.+)$", document.text, re.MULTILINE) == SECTIONS
    for section in re.split(r"^## .+$", document.text, flags=re.MULTILINE)[1:]:
        assert len(section.split()) >= 8
    assert "`" in document.text, "something concrete to type"
    assert max(map(len, document.text.splitlines())) <= 200


def test_incidents_of_the_demo_belong_to_the_demo_alone() -> None:
    assert {document.kind for document in files(KNOWLEDGE)} == {"runbook"}
    assert {document.kind for document in files(DEMO)} == {"incident"}


def test_every_system_has_runbooks_and_the_demo_has_ten_incidents() -> None:
    assert {document.system for document in RUNBOOKS} == SYSTEMS
    assert len(INCIDENTS) >= 10
    assert all(incident.happened_at and incident.proven is not None for incident in INCIDENTS)
    assert {incident.code for incident in INCIDENTS} <= {document.code for document in RUNBOOKS}


def test_each_document_is_found_by_its_own_title() -> None:
    search = Search(DOCUMENTS)
    missed = [document.id for document in DOCUMENTS if document.id not in search.ranked(document.title, top=3)]
    assert missed == []


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("pod keeps restarting with exit code 137", "runbook/CONTAINER_OOM_KILLED"),
        ("0/5 nodes are available: 5 Insufficient cpu", "runbook/POD_UNSCHEDULABLE"),
        ("we get rate limited when pulling images", "incident/2026-02-11-registry-rate-limit"),
        ("requests take exactly five seconds longer", "incident/2026-04-29-dns-timeouts"),
        ('absent(up{job="node"})', "runbook/TARGET_DOWN"),
        ("kubelet_volume_stats_inodes_free / kubelet_volume_stats_inodes < 0.03", "runbook/VOLUME_INODES_FILLING"),
        ("namespace hangs in terminating", "runbook/TERMINATING_STUCK"),
    ],
)
def test_questions_of_people_and_of_alerts_lead_to_the_right_page(question: str, expected: str) -> None:
    assert expected in Search(DOCUMENTS).ranked(question, top=3)
