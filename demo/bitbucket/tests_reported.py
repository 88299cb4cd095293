"""Test reports of a step, where its language reports tests and the step got as far as running them."""

from __future__ import annotations

from typing import Any

from demo.bitbucket.pipelines import Run, StepState
from demo.bitbucket.world import World

WITHOUT_TESTS = ("docker", "terraform", "helm")
CASES = 24


def reported_cases(world: World, run: Run, state: StepState) -> list[dict[str, Any]] | None:
    """Every case, or None where nothing was reported. In a failing run the last case fails."""
    kind = state.step.outcome.log
    language = world.repositories[run.repository].language
    if language in WITHOUT_TESTS or kind not in ("passing", "failing") or state.name != "COMPLETED":
        return None
    return [
        {
            "type": "pipeline_test_case",
            "uuid": f"{{case-{number}}}",
            "name": f"case {number}",
            "package_name": f"{run.repository}.tests",
            "fully_qualified_name": f"{run.repository}.tests.case_{number}",
            "status": "FAILED" if kind == "failing" and number == CASES else "SUCCESSFUL",
            "duration": "PT0.04S",
        }
        for number in range(1, CASES + 1)
    ]


def reported_summary(world: World, run: Run, state: StepState) -> dict[str, Any] | None:
    """The numbers, or None where nothing was reported."""
    cases = reported_cases(world, run, state)
    if cases is None:
        return None
    failed = sum(case["status"] == "FAILED" for case in cases)
    return {
        "type": "pipeline_step_test_report",
        "number_of_test_cases": len(cases),
        "number_of_successful_test_cases": len(cases) - failed,
        "number_of_failed_test_cases": failed,
        "number_of_error_test_cases": 0,
        "number_of_skipped_test_cases": 0,
    }
