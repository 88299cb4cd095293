"""What is sent to run a pipeline again, and when that cannot be said in full."""

from __future__ import annotations

from typing import Any

import pytest

from tools.bitbucket.records import Pipeline
from tools.bitbucket.rerun_request import missing_for_rerun, rerun_body

COMMIT = {"type": "commit", "hash": "abc"}
BRANCH = {"type": "pipeline_ref_target", "ref_type": "branch", "ref_name": "main", "commit": COMMIT}
REQUEST = {
    "type": "pipeline_pullrequest_target",
    "source": "feature",
    "destination": "main",
    "destination_commit": {"type": "commit", "hash": "def"},
    "pullrequest": {"type": "pullrequest", "id": 4},
    "commit": COMMIT,
    "selector": {"type": "pull-requests", "pattern": "**"},
}


def pipeline(target: dict[str, Any], **fields: Any) -> Pipeline:
    return Pipeline.model_validate({"uuid": "{1}", "created_on": "2026-10-06T12:00:00Z", "target": target, **fields})


@pytest.mark.parametrize(
    "target",
    [
        BRANCH,
        {**BRANCH, "selector": {"type": "branches", "pattern": "main"}},
        {**BRANCH, "selector": {"type": "default"}},
        {**BRANCH, "selector": {"type": "custom", "pattern": "nightly build"}},
        {**BRANCH, "ref_type": "tag", "ref_name": "v1", "selector": {"type": "tags", "pattern": "v*"}},
        {"type": "pipeline_commit_target", "commit": COMMIT, "selector": {"type": "custom", "pattern": "release"}},
        REQUEST,
    ],
)
def test_every_kind_of_target_is_sent_as_it_came(target: dict[str, Any]) -> None:
    given = pipeline(target)
    assert missing_for_rerun(given) is None
    assert rerun_body(given) == {"type": "pipeline", "target": target}


def test_plain_variables_are_passed_again() -> None:
    given = pipeline(BRANCH, has_variables=True, variables=[{"key": "A", "value": "1", "secured": False}])
    assert missing_for_rerun(given) is None
    assert rerun_body(given)["variables"] == [{"key": "A", "value": "1", "secured": False}]


@pytest.mark.parametrize(
    ("target", "fields", "words"),
    [
        (BRANCH, {"variables": [{"key": "KEY", "secured": True}]}, "KEY"),
        (BRANCH, {"has_variables": True}, "does not list"),
        ({**BRANCH, "commit": None}, {}, "which commit"),
        ({**BRANCH, "ref_name": None}, {}, "which branch or tag"),
        ({**REQUEST, "pullrequest": None}, {}, "which pull request"),
        ({**BRANCH, "type": "pipeline_moon_target"}, {}, "pipeline_moon_target"),
        ({}, {}, "which commit"),
    ],
)
def test_what_cannot_be_rebuilt_is_said(target: dict[str, Any], fields: dict[str, Any], words: str) -> None:
    missing = missing_for_rerun(pipeline(target, **fields))
    assert missing is not None
    assert words in missing
