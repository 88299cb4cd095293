"""Files of queries: what they share, and the templates that each of them gets."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from tools.queries import load_queries

FILE = """
shared:
  owner: namespace, pod
  both: ${owner}, cluster
templates:
  own(q): label_copy(q, "exported_pod", "pod")
  by_owner(q): max by (${both}) (own(q))
  never(q): q
plain:
  query: up{$matchers}
  unit: "1"
  why: it is
whole:
  query: sum(by_owner(rate(x[$window])))
  unit: "1"
  why: it is
"""


def test_a_query_gets_the_templates_that_it_uses_and_those_that_they_use(tmp_path: Path) -> None:
    path = tmp_path / "queries.yaml"
    path.write_text(FILE, encoding="utf-8")
    found = load_queries(path)
    assert found["plain"].filled(matchers="") == "up{}"
    assert found["whole"].filled(window="5m") == (
        'WITH (own(q) = label_copy(q, "exported_pod", "pod"), by_owner(q) = max by (namespace, pod, cluster) (own(q))) '
        "sum(by_owner(rate(x[5m])))"
    )


def test_an_entry_that_is_none_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "queries.yaml"
    path.write_text("broken: {unit: '1', why: it is}\n", encoding="utf-8")
    with pytest.raises(ValidationError):
        load_queries(path)
