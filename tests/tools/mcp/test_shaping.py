"""Answers as a small model gets them."""

from __future__ import annotations

import json
import re

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


def hunter(text: str) -> str:
    """Knows a password by what stands before it, as redaction does."""
    return re.sub(r"""(password["']?\s*[:=]\s*["']?)[^\s"',]+""", r"\1***", text, flags=re.IGNORECASE)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([{"user": "eva", "password": "hunter2"}, {"user": "ida", "password": "hunter22"}]),
        json.dumps([{"message": json.dumps({"password": "hunter2"})}, {"message": "x"}]),
        json.dumps([{"env": [{"name": "DB_PASSWORD", "value": "hunter2"}]}, {"env": []}]),
        json.dumps([{"name": "DB_PASSWORD", "value": "hunter2"}, {"name": "HOME", "value": "/"}]),
        json.dumps({"one": {"password": "hunter2"}, "other": {"env": {"name": "PASSWORD", "value": "hunter2"}}}),
        json.dumps({"items": [{"a": 1}], "password": "hunter2"}),
        '[{"message": "pass\\u0077ord=hunter2"}]',
        json.dumps("password=hunter2"),
        json.dumps({"error": "login with password=hunter2 failed"}),
        "first line\npassword: hunter2\n" + "more\n" * 5_000,
    ],
)
def test_no_form_of_an_answer_hides_a_secret(text: str) -> None:
    found = shape(text, failed=False, limit=500, clean=hunter)
    assert "hunter2" not in found.text
    assert "***" in found.text


def test_taking_secrets_out_never_breaks_the_answer_around_them() -> None:
    def greedy(text: str) -> str:  # as the pattern for passwords in addresses, which ends at the next @
        return re.sub(r"(://\w+:)[^\s/@]+@", r"\1***@", text)

    answer = json.dumps({"url": "http://grafana:3000", "email": "ops@example.com"}, separators=(",", ":"))
    assert shape(answer, failed=False, limit=500, clean=greedy).text == answer


def test_a_long_answer_is_cleaned_as_far_as_it_can_be_shown_and_counted_in_whole() -> None:
    cleaned = 0

    def counting(text: str) -> str:
        nonlocal cleaned
        cleaned += len(text)
        return text

    log = "\n".join(f"line {number} password=x" for number in range(200_000))
    for keep_end, shown in ((False, "line 0 "), (True, "line 199999 ")):
        result = shape(log, failed=False, limit=1_000, clean=counting, keep_end=keep_end)
        assert shown in result.text
        assert "of 200000 " in result.text
    rows = [{"name": f"pod-{number}", "node": "n"} for number in range(100_000)]
    result = shape(json.dumps(rows), failed=False, limit=1_000, clean=counting)
    assert result.left_out == 100_000 - result.text.count("pod-")
    assert f"({result.left_out} of 100000 rows left out" in result.text
    assert shape("x" * 1_000_000, failed=False, limit=500, clean=counting).text.endswith("(999500 characters left out)")
    nested = json.dumps({"a": ["x" * 10_000] * 100, "b": [1]}, separators=(",", ":"))
    result = shape(nested, failed=False, limit=500, clean=counting)
    assert result.text.endswith(f"({len(nested) - 500} characters left out)")
    assert cleaned < 200_000


@pytest.mark.parametrize(
    "text",
    [
        "stderr:\nERROR: (gcloud.compute) permission denied",
        "NAME  ZONE\nvm-1  a\nstderr:\nERROR: (gcloud.compute) permission denied",
    ],
)
def test_what_a_program_printed_as_an_error_is_a_failure(text: str) -> None:
    result = shaped(text)
    assert (result.status, result.text) == ("error", "ERROR: (gcloud.compute) permission denied")


def test_a_warning_beside_output_is_no_failure() -> None:
    assert shaped("NAME  ZONE\nvm-1  a\nSTDERR:\nWARNING: zone a goes away soon").status == "ok"


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 900 + "1" + "}" * 900,
        '{"data":{"result":[{"metric":{},"values":[[1,"NaN"],[2,"+Inf"],[3,"abc"]]}]}}',
        '[{"a":NaN,"b":Infinity},{"a":1e999}]',
        '[{"value":[1,2]},{"value":[1]},{"values":[]}]',
        '[{"name":1,"value":"x"},{"name":"x","value":2}]',
        '{"items":[{"a":1}],"labels":["x"],"none":[]}',
    ],
)
def test_an_odd_answer_is_shown_as_it_is(text: str) -> None:
    assert shaped(text).status == "ok"
    assert len(shaped(text).text) < 2_200
