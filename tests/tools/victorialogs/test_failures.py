"""Lines that people mean by "errors", and lines that only have the word in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.victorialogs.failures import is_failure
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
