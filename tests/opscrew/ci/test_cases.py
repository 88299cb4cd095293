"""Whole logs that were once judged wrongly, each with what is right and why (data/cases/cases.yaml)."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from opscrew.ci.explain.lines import explain
from opscrew.ci.judge.classify import Verdict, classify

FOLDER = Path(__file__).with_name("data") / "cases"
CASES = yaml.safe_load((FOLDER / "cases.yaml").read_text(encoding="utf-8"))["cases"]


@pytest.mark.parametrize("case", CASES, ids=[case["file"] for case in CASES])
def test_each_log_is_judged_rightly(case: dict[str, str]) -> None:
    with (FOLDER / case["file"]).open("rb") as log:
        judged = classify(explain(log))
    if case["expected"] == "not_transient":
        assert judged.verdict is not Verdict.TRANSIENT, (case["why"], judged.signature)
    else:
        assert judged.verdict.value == case["expected"], (case["why"], judged.signature)


def test_bitbuckets_own_bans_are_named_with_what_to_take_out() -> None:
    for file, option in (
        ("bitbucket_tiangolo_dwc_32_cut.log", "--privileged"),
        ("bitbucket_k8s_notes_buildkit_2023.log", "--privileged"),
        ("bitbucket_bb_aws_utils_volume_cut.log", "-v"),
        ("bitbucket_kpt_3765_cut.log", "--security-opt"),
    ):
        with (FOLDER / file).open("rb") as log:
            judged = classify(explain(log))
        assert judged.verdict is Verdict.INFRA_PERSISTENT, file
        assert option in judged.next_step, file


def test_every_log_is_a_case() -> None:
    assert sorted(path.name for path in FOLDER.glob("*.log")) == sorted(case["file"] for case in CASES)
