"""Custom resources of some two hundred operators as their controllers write them, healthy, at work and broken.

None of the rules names a product. These objects show that they hold for products which nobody had in mind.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.kubernetes_objects import ago, codes_of
from tests.support.operator_objects import OperatorObject, operator_objects

OBJECTS = operator_objects(Path(__file__).with_name("data") / "operators")
ALL_DAY, JUST_NOW = ago(hours=20), ago(minutes=5)


def _of(*how: str) -> list[object]:
    return [pytest.param(found, id=found.label) for found in OBJECTS if found.how in how]


@pytest.mark.parametrize("found", _of("fine"))
def test_what_is_fine_is_never_told_however_long_it_lasts(found: OperatorObject) -> None:
    assert codes_of(found.built(ALL_DAY)) == []


@pytest.mark.parametrize("found", _of("in_progress", "unclear"))
def test_what_is_at_work_is_not_told_within_its_time(found: OperatorObject) -> None:
    assert codes_of(found.built(JUST_NOW)) == []
    assert codes_of(found.built(ALL_DAY), dated=False) == []


@pytest.mark.parametrize("found", _of("unclear"))
def test_what_nobody_explains_is_told_when_it_lasts(found: OperatorObject) -> None:
    assert codes_of(found.built(ALL_DAY)) == ["CUSTOM_RESOURCE_STUCK"]


@pytest.mark.parametrize("found", _of("failed"))
def test_what_has_failed_is_told_at_once(found: OperatorObject) -> None:
    assert codes_of(found.built(JUST_NOW)) == ["CUSTOM_RESOURCE_FAILED"]


def test_there_are_enough_of_each() -> None:
    assert min(len(_of(how)) for how in ("fine", "in_progress", "failed")) >= 200
    assert len({found.group for found in OBJECTS}) >= 120
