"""Lines that people mean by "errors", and lines that only have the word in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.victorialogs.failures import Failures, failures, is_failure
from tools.victorialogs.fields import fields_of

LINES = Path(__file__).parent / "data" / "lines.yaml"


def lines(kind: str) -> list[Any]:
    groups = yaml.safe_load(LINES.read_text(encoding="utf-8"))
    entries = [entry for group in groups for entry in group.get(kind, ())]
    return [pytest.param(*(entry if isinstance(entry, list) else (entry, {})), id=str(entry)[:70]) for entry in entries]


def judged(text: str, fields: dict[str, str]) -> bool:
    return is_failure(text, [(scale, fields[field]) for field, scale in fields_of(fields).levels])


@pytest.mark.parametrize(("text", "fields"), lines("failures"))
def test_a_failure_is_one(text: str, fields: dict[str, str]) -> None:
    assert judged(text, fields)


@pytest.mark.parametrize(("text", "fields"), lines("harmless"))
def test_a_line_that_only_has_the_word_is_none(text: str, fields: dict[str, str]) -> None:
    assert not judged(text, fields)


def test_a_pattern_that_is_none_is_refused_when_the_file_is_read() -> None:
    with pytest.raises(ValueError, match="unterminated"):
        Failures.model_validate(failures().model_dump() | {"likely": ("(error",)})


def test_fields_are_found_by_their_usual_names_and_own_names_come_first() -> None:
    found = fields_of(["resource.attributes.k8s.pod.name", "pod_ip", "_msg", "Level"], {"pod": ("host.pod",)})
    assert found.pod == ("host.pod", "resource.attributes.k8s.pod.name")
    assert found.levels == (("Level", "words"),)
    assert found.message == found.namespace == ()
    assert found.of_pod("shop", "web-0").startswith("((_msg:")  # without a field for the namespace it is nobody's
    assert 'x\\" or *' in found.of_anything('x" or *')
