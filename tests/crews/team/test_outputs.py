"""Answers are read from whatever the model wrote."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crews.team.outputs import OUTPUTS, Answer, prose_so_far, read_output, schema_of

WHOLE = '{"missing": [], "answer": "The disk is full (E1).", "cited": ["E1"]}'


@pytest.mark.parametrize("text", [WHOLE, f"```json\n{WHOLE}\n```", f"Sure!\n```\n{WHOLE}\n```", f"  {WHOLE}\n"])
def test_json_is_found(text: str) -> None:
    assert read_output(Answer, text) == Answer(missing=[], answer="The disk is full (E1).", cited=["E1"])


def test_the_beginning_of_json_gives_the_beginning_of_the_answer() -> None:
    assert read_output(Answer, WHOLE[:40]).model_dump()["answer"] == "The disk is f"


def test_an_answer_longer_than_asked_for_is_still_an_answer() -> None:
    long = "The disk is full. " * 200
    assert read_output(Answer, json.dumps({"missing": [], "answer": long, "cited": []})).model_dump()["answer"] == long


def test_wrong_types_cost_only_their_field() -> None:
    output = read_output(Answer, '{"missing": "all", "answer": "Yes (E1).", "cited": 7}')
    assert output.model_dump() == {"missing": [], "answer": "Yes (E1).", "cited": []}


def test_prose_is_the_answer_and_broken_json_is_not() -> None:
    assert read_output(Answer, "The disk is full.").model_dump()["answer"] == "The disk is full."
    assert read_output(Answer, '{"ans').model_dump()["answer"] == ""


@given(st.text())
def test_nothing_a_model_writes_raises(text: str) -> None:
    for output in OUTPUTS.values():
        read_output(output, text)
        prose_so_far(output, text)


def test_prose_streams_out_of_json_and_stays_quiet_while_something_is_missing() -> None:
    heard = [prose_so_far(Answer, WHOLE[:end]) for end in range(len(WHOLE) + 1)]
    assert all(later.startswith(earlier) for earlier, later in pairwise(heard))
    assert heard[-1] == "The disk is full (E1)."
    assert prose_so_far(Answer, '{"missing": ["query"], "answer": "I would') == ""


@pytest.mark.parametrize("name", sorted(OUTPUTS))
def test_every_string_in_a_schema_is_bounded(name: str) -> None:
    schema = schema_of(OUTPUTS[name], missing=["query"], choices=["a", "b"])
    assert schema["required"] == list(schema["properties"])

    def check(node: dict) -> None:
        if node.get("type") == "string":
            assert "enum" in node or node["maxLength"] <= 1500
        if node.get("type") == "array":
            assert node["maxItems"] <= 8
            check(node["items"])

    for field in schema["properties"].values():
        check(field)


def test_missing_is_a_closed_list_or_absent() -> None:
    assert schema_of(Answer, missing=["query"])["properties"]["missing"]["items"]["enum"] == ["query"]
    assert "missing" not in schema_of(Answer)["properties"]
