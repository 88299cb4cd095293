"""Every signature is recognised by its own examples and not by its counter-examples, and mistakes are named."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest

from opscrew.ci.explain.lines import explain
from opscrew.ci.judge.classify import classify
from opscrew.ci.judge.signatures.catalog import FOLDER, Signature, Verdict, catalog, read_catalog
from opscrew.ci.judge.signatures.matching import matches_of

SIGNATURES = catalog().signatures


def recognised(text: str) -> set[str]:
    found = explain(io.BytesIO(text.encode()))
    lines = sorted(found.lines, key=lambda line: line.number)
    return {match.signature.id for match in matches_of(lines, catalog(), found.command)}


@pytest.mark.parametrize("signature", SIGNATURES, ids=lambda signature: signature.id)
def test_its_examples_are_recognised_and_judged_as_it_says(signature: Signature) -> None:
    assert signature.examples
    for example in signature.examples:
        assert signature.id in recognised(example), example
        assert classify(explain(io.BytesIO(example.encode()))).verdict is signature.verdict, example


@pytest.mark.parametrize(
    "signature", [found for found in SIGNATURES if found.counter_examples], ids=lambda signature: signature.id
)
def test_its_counter_examples_are_not_it(signature: Signature) -> None:
    for example in signature.counter_examples:
        assert signature.id not in recognised(example), example


def test_a_condition_on_nearby_lines_looks_at_each_of_them() -> None:
    """``^`` in ``near`` is the beginning of any line around, not only of the first; a command counts by ``command``."""
    hung = "No output has been received in the last 10m0s, this potentially indicates a stalled build."
    assert "fetch-hung" in recognised(f"preparing the step\n+ git fetch origin\n{hung}")
    assert "fetch-hung" not in recognised(f"preparing the step\nwe then show git fetch origin\n{hung}")


def test_what_is_called_transient_says_where_it_would_be_wrong() -> None:
    """Most transient signatures must carry a condition: bare words about the network appear in every log."""
    transient = [found for found in SIGNATURES if found.verdict is Verdict.TRANSIENT]
    bare = [found.id for found in transient if not (found.also or found.near or found.unless or found.near_unless)]
    assert len(bare) <= len(transient) // 4, bare


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("confidence: 0.97", "confidence: 97", "compile-java: confidence"),
        ("- id: compile-go", "- id: compile-java", "used twice: compile-java"),
        ("    why:", "    reason:", "unknown keys ['reason'], missing keys ['why']"),
        ("unless: 'could not", "unless: '(could not", "compile-java: not a regular expression of RE2: missing )"),
        ("      - '\\berror", "      - '(\\berror", "not a regular expression of RE2: (\\berror"),
        ("{{transport_failure}}", "{{transport_fault}}", "there is no fragment 'transport_fault'"),
    ],
)
def test_a_mistake_in_the_data_is_named(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    for file in FOLDER.glob("*.yaml"):
        shutil.copy(file, tmp_path)
    target = tmp_path / "genuine_code.yaml"
    text = target.read_text(encoding="utf-8")
    assert old in text
    target.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ValueError) as problem:
        read_catalog(tmp_path)
    assert complaint in str(problem.value)
