"""Answers as a small model gets them."""

from __future__ import annotations

import json

import pytest

from tools.mcp.shaping import ToolResult, shape


def shaped(text: str, *, failed: bool = False, limit: int = 2_000) -> ToolResult:
    return shape(text, failed=failed, limit=limit, clean=lambda given: given.replace("s3cret", "***"))


def test_a_list_becomes_a_table_and_what_is_the_same_is_told_once() -> None:
    rows = [{"name": f"pod-{n}", "namespace": "shop", "restarts": n} for n in range(3)]
    assert shaped(json.dumps(rows)).text.splitlines() == [
        "same in every row: namespace=shop",
        "name | restarts",
        "pod-0 | 0",
        "pod-1 | 1",
        "pod-2 | 2",
    ]


def test_what_does_not_fit_is_counted() -> None:
    rows = [{"name": f"pod-{n:04}", "state": "x" * n} for n in range(200)]
    result = shaped(json.dumps({"items": rows, "total": 200}), limit=1_000)
    assert result.left_out > 100
    assert f"({result.left_out} of 200 rows left out" in result.text
    assert "total: 200" in result.text
    assert len(result.text) < 1_100


def test_a_table_is_much_smaller_than_the_json() -> None:
    rows = [{"namespace": "shop", "pod": f"cart-{n}", "phase": "Running", "node": "n1"} for n in range(50)]
    assert len(shaped(json.dumps(rows), limit=10_000).text) < len(json.dumps(rows)) / 3


def test_a_prometheus_vector_keeps_labels_and_value() -> None:
    answer = {
        "status": "success",
        "data": {
            "resultType": "vector",
            "result": [
                {"metric": {"pod": "a", "job": "k"}, "value": [1760000000, "1.5"]},
                {"metric": {"pod": "b", "job": "k"}, "value": [1760000000, "2"]},
            ],
        },
    }
    text = shaped(json.dumps(answer)).text
    assert "same in every row: job=k" in text
    assert "a | 1.5" in text


def test_a_prometheus_matrix_becomes_five_numbers() -> None:
    values = [[1760000000 + n, str(n % 7)] for n in range(100)]
    answer = {
        "status": "success",
        "data": {"resultType": "matrix", "result": [{"metric": {"pod": "a"}, "values": values}]},
    }
    text = shaped(json.dumps(answer)).text
    assert "pod | points | first | last | min | max" in text
    assert "a | 100 | 0 | 1 | 0 | 6" in text


def test_one_object_a_line_is_a_list() -> None:
    text = '{"_msg":"timeout","_time":"t1"}\n{"_msg":"refused","_time":"t2"}\n'
    assert shaped(text).text.splitlines() == ["_msg | _time", "timeout | t1", "refused | t2"]


@pytest.mark.parametrize(
    "text",
    [
        "STDERR: ERROR: (gcloud.compute) permission denied",
        '{"error": {"code": 403, "message": "permission denied"}}',
        '{"status":"error","errorType":"bad_data","error":"permission denied"}',
        "failed to list pods: permission denied",
    ],
)
def test_failures_that_arrive_as_success_are_recognised(text) -> None:
    result = shaped(text)
    assert result.status == "error"
    assert "permission denied" in result.text
    assert not result.text.startswith("STDERR")


@pytest.mark.parametrize(
    "text",
    [
        "Error: cannot reach the database\nretrying in 5 s\nconnected",
        "Error budget of checkout is 99.2 %",
        '{"error":"","data":{"n":1}}',
        '{"items":[{"error":"a","name":"b"}]}',
    ],
)
def test_a_result_that_only_speaks_of_errors_is_no_failure(text) -> None:
    assert shaped(text).status == "ok"


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", '{"status":"success","data":{"resultType":"vector","result":[]}}', '{"items":[]}',
     "No events found", "no resources found in namespace shop"],
)  # fmt: skip
def test_nothing_is_told_apart_from_something(text) -> None:
    assert shaped(text).status == "no_data"


def test_secrets_go_first() -> None:
    assert "s3cret" not in shaped('[{"token":"s3cret"}]').text
    assert "s3cret" not in shaped("the word is s3cret", failed=True).text


def test_odd_values_never_raise() -> None:
    for text in ('[1,2,{"a":1}]', '"text"', "[[]]", '{"a":{"b":{"c":{"d":{"e":[{"f":1}]}}}}}', "{", "[{]", "\x00"):
        assert shaped(text).status in ("ok", "no_data", "error")


def test_long_text_is_cut_at_lines() -> None:
    text = "\n".join(f"line {n} of the log" for n in range(1_000))
    result = shaped(text, limit=500)
    assert result.left_out > 900
    assert "lines left out" in result.text


def test_of_a_log_the_last_lines_are_kept() -> None:
    text = "\n".join(f"line {n} of the log" for n in range(1_000))
    result = shape(text, failed=False, limit=500, clean=str, keep_end=True)
    assert result.text.endswith("line 999 of the log")
    assert "earlier lines left out" in result.text.splitlines()[0]
