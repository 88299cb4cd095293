"""Which names a question about logs asks for: those that logs have, those that none has, and words that are none."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from crews.ask.gather.collector import Request
from crews.ask.gather.log_names import asked_names, places
from opscrew.answer.understand.question import understand
from tests.support.asking import crew_at
from tools.victorialogs.fields import fields_of
from tools.victorialogs.records import Group

NOW = datetime(2026, 10, 6, 12, tzinfo=UTC)
FIELDS = fields_of(["kubernetes.pod_name", "kubernetes.pod_namespace"])
GROUPS = [
    Group({"kubernetes.pod_name": name, "kubernetes.pod_namespace": namespace}, 10)
    for name, namespace in (("cart-7f9c6d5b4d-x2k4q", "shop"), ("postgres-0", "db"))
]


def asked(question: str, folder: Path) -> tuple[list[str], list[str]]:
    with crew_at(NOW, folder) as crew:
        understood = understand(question, [], NOW, ZoneInfo("UTC"))
        return asked_names(Request(crew, question, understood, NOW), GROUPS, FIELDS)


@pytest.mark.parametrize(
    ("question", "found", "unheard"),
    [
        ("what does cart log?", ["cart"], []),
        ("logs of pod postgres-0 since noon", ["postgres-0"], []),
        ("tail the logs of shop", ["shop"], []),
        ("errors of cart in namespace shop", ["cart", "shop"], []),
        ("show the errors in the logs of payments", [], ["payments"]),
        ("what is wrong in the logs of ns payments?", [], ["payments"]),
        ("log errors of orders in the last hour", [], ["orders"]),
        ("what does search log?", [], ["search"]),
        ("errors in the logs of web since 9", [], ["web"]),
        ("any error in the log of kafka-broker-2 in the past day", [], ["kafka-broker-2"]),
        ("any errors in production?", [], ["production"]),
        ("show me error logs for foxtrot in namespace shop", ["shop"], ["foxtrot"]),
    ],
)
def test_names_that_are_asked_for(question: str, found: list[str], unheard: list[str], tmp_path) -> None:
    assert asked(question, tmp_path) == (found, unheard)


@pytest.mark.parametrize(
    "question",
    [
        "show me the errors in the logs",
        "any errors in the logs?",
        "what do the logs say since this morning",
        "errors in the logs of the last 30 minutes",
        "log errors on monday",
        "log errors in october",
        "log errors of today",
        "errors in logs for 2026-10-01",
        "errors in logs between monday and wednesday",
        "any exceptions in the logs of the last two hours?",
        "show me the last errors in the logs for each pod",
        "show logs for all pods",
        "what has been logged in error lines by each pod",
        "how many errors in the logs for last week compared to this week",
        "errors of yesterday evening in the logs",
    ],
)
def test_words_that_are_no_name(question: str, tmp_path) -> None:
    assert asked(question, tmp_path) == ([], [])


def test_a_namespace_is_a_place_and_a_workload_is_none() -> None:
    assert places(["cart", "shop"], GROUPS, FIELDS) == ["shop"]
