"""The proposal to enlarge is one per size and week, and is asked again right before it is sent."""

from __future__ import annotations

from datetime import timedelta

import pytest

from opscrew.actions.catalog import catalog
from opscrew.model.finding import Severity
from opscrew.storage.advice import advise
from opscrew.storage.expansion import KIND, expand_action, why_not_expand
from opscrew.storage.trouble import finding_of, look_for_trouble
from opscrew.storage.volume import GIB, StorageClass
from tests.support.volumes import NOW, claim, growing, volume

FILLING = volume(growing(90, 1))


def proposal(of=FILLING, now=NOW):
    trouble = look_for_trouble(of)
    problem = finding_of(of, trouble, now, advice="expand", next_step="Enlarge it.")
    return expand_action(of, advise(of, now), problem, now)


def test_it_fits_the_catalog_and_names_its_finding() -> None:
    action = proposal()
    assert catalog()[KIND].objection(action) is None
    assert catalog()[KIND].carried_out_by == "crew"
    assert action.parameters["from_gib"] == 100
    assert len(action.finding) == 16
    assert "GiB used" in action.evidence[0].text


def test_the_key_changes_with_size_and_week_and_not_with_the_wanted_size() -> None:
    first = proposal()
    faster = proposal(volume(growing(91, 1.2)))
    assert faster.parameters["to_gib"] != first.parameters["to_gib"]
    assert faster.idempotency_key == first.idempotency_key
    assert proposal(now=NOW + timedelta(days=7)).idempotency_key != first.idempotency_key
    larger = volume(growing(110, 1), size=120, of=claim(requested=120 * GIB, capacity=120 * GIB))
    assert proposal(larger).idempotency_key != first.idempotency_key


def test_no_proposal_where_the_advice_is_another() -> None:
    assert proposal(volume(growing(90, 1), of=claim(storage_class=StorageClass("slow")))) is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"phase": "Pending"}, "Pending"),
        ({"mode": "Block"}, "raw block"),
        ({"resizing": "working"}, "under way"),
        ({"storage_class": StorageClass("slow")}, "does not allow"),
        ({"requested": 150 * GIB}, "already"),
        ({"requested": 110 * GIB}, "changed meanwhile"),
    ],
)
def test_what_speaks_against_it_at_the_last_moment(changes: dict, words: str) -> None:
    assert words in (why_not_expand(claim(**changes), 100, 150) or "")
    assert why_not_expand(None, 100, 150) == "the claim is gone"
    assert why_not_expand(claim(), 100, 150) is None


def test_a_finding_has_figures_for_people_and_machines() -> None:
    of = volume(growing(96, 2), inodes=100.0, inodes_used=20.0)
    told = finding_of(of, look_for_trouble(of), NOW, advice="expand", next_step="Enlarge it to 150 GiB.")
    assert (told.code, told.severity) == ("VOLUME_FILLING", Severity.CRITICAL)
    assert told.cause.startswith("The volume will be full within 14 days")
    assert told.evidence[0].text == "96.0 of 100.0 GiB used, 20% of the inodes"
    assert told.details["workload"] == "StatefulSet/db"
    assert told.details["days_to_full"][1] == pytest.approx(2, abs=0.5)
