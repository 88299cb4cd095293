"""The catalog names every action of the design, and refuses what does not fit."""

import pytest
from pydantic import ValidationError

from opscrew.actions.catalog import catalog, parse_catalog
from opscrew.findings.codes import codes
from opscrew.model.subject import Subject
from tests.support.actions import rerun

RERUN = rerun()


def test_every_kind_is_there_and_none_happens_by_itself_unless_somebody_says_so() -> None:
    assert set(catalog()) == {
        "rerun_pipeline",
        "stop_pipeline",
        "restart_workload",
        "roll_back_workload",
        "scale_workload",
        "delete_stuck_pod",
        "expand_pvc",
        "resize_vm_group",
        "drain_runner",
        "silence_alert",
    }
    assert {kind.default for kind in catalog().values()} <= {"approve", "off"}
    assert all(kind.verified_by for kind in catalog().values())


def test_failures_lead_to_a_finding_that_is_listed() -> None:
    assert {kind.failed_code for kind in catalog().values()} <= set(codes())


def test_a_proposal_that_fits_has_no_objection() -> None:
    assert catalog()["rerun_pipeline"].objection(RERUN) is None


@pytest.mark.parametrize(
    ("changed", "objection"),
    [
        ({"build_number": 0}, "parameter build_number must be at least 1"),
        ({"build_number": "7"}, "parameter build_number must be a whole number"),
        ({"build_number": True}, "parameter build_number must be a whole number"),
        ({"commit": ""}, "parameter commit must be text"),
        ({"commit": "a\nb"}, "parameter commit must be printable and at most 300 characters long"),
        ({"commit": "a" * 301}, "parameter commit must be printable and at most 300 characters long"),
        ({"shell": "rm"}, "rerun_pipeline has no parameter shell"),
    ],
)
def test_parameters_are_kept_within_their_bounds(changed, objection) -> None:
    action = RERUN.model_copy(update={"parameters": RERUN.parameters | changed})
    assert catalog()["rerun_pipeline"].objection(action) == objection


def test_bounds_hold_at_both_ends_and_not_a_number_is_refused() -> None:
    replicas = catalog()["scale_workload"].parameters["replicas"]
    assert [replicas.objection(n) for n in (0, 1, 50, 51)] == ["must be at least 1", None, None, "must be at most 50"]
    size = parse_catalog({"x": _entry(parameters={"size": {"type": "number", "min": 0, "max": 1}})})["x"]
    assert size.parameters["size"].objection(float("nan")) == "must be at least 0"


def test_a_missing_parameter_and_a_foreign_target_are_named() -> None:
    kind = catalog()["rerun_pipeline"]
    without = {name: value for name, value in RERUN.parameters.items() if name != "commit"}
    assert kind.objection(RERUN.model_copy(update={"parameters": without})) == "parameter commit is missing"
    pod = RERUN.model_copy(update={"target": Subject(system="kubernetes", kind="Pod", name="x")})
    assert kind.objection(pod) == "rerun_pipeline acts on pipeline in bitbucket, not on Pod"


@pytest.mark.parametrize(
    "mistake",
    [{"default": "auto"}, {"danger": "none"}, {"surprise": 1}, {"targets": []}, {"same_thing": ["nothing"]}],
)
def test_a_mistake_in_the_file_is_an_error(mistake) -> None:
    with pytest.raises((ValidationError, ValueError)):
        parse_catalog({"x": _entry(**mistake)})


def _entry(**changes):
    entry = {
        "title": "t",
        "system": "s",
        "targets": ["thing"],
        "scope": ["place"],
        "parameters": {},
        "default": "approve",
        "danger": "low",
        "carried_out_by": "people",
        "verified_by": "",
        "follow_hours": 1,
        "commit": "",
        "same_thing": [],
        "failed_code": "ACTION_FAILED",
    }
    return entry | changes
