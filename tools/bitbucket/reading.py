"""Turns one JSON object into a record, and says what of it could not be read.

One odd field must not hide a pipeline, and must not make it look harmless either: a step whose labels are of another
type than yesterday may be the one that deploys. So a field that cannot be read takes its default and is named in
``unreadable``, as far as a decision hangs on it. Whoever acts looks there first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import structlog
from pydantic import ValidationError

from tools.bitbucket.records import Deployment, Pipeline, PipelineStep
from tools.bitbucket.shapes import Answer

log = structlog.get_logger(__name__)

Record = TypeVar("Record", bound=Answer)

STATE = frozenset({"state", "stage", "result", "error", "key", "message"})
DECISIVE: dict[type[Answer], frozenset[str]] = {
    PipelineStep: STATE | {"uuid", "name", "started_on", "completed_on", "environment", "run_number"},
    Deployment: frozenset({"state", "status", "pipeline_uuid", "step_uuid", "started_on"}),
    Pipeline: STATE
    | {"build_number", "run_number", "target", "trigger", "variables", "has_variables", "value", "secured"}
    | {"type", "ref_type", "ref_name", "commit", "selector", "pattern", "source", "destination"}
    | {"destination_commit", "pull_request_id", "target_branch"},
}
"""Fields, of the record or of what stands in it, on which a decision about a re-run hangs."""

WHOLE = "all of it"
"""In place of a field's name where nothing could be read."""


class Reader:
    """One per client. Tells the log once of each field that could not be read."""

    def __init__(self) -> None:
        self._told: set[tuple[str, str]] = set()

    def read(self, kind: type[Record], data: Any) -> Record:
        """The record. ``ValidationError`` where even what identifies it cannot be read."""
        odd: list[str] = []
        try:
            record = kind.model_validate(data, context={"odd": odd})
        except ValidationError:
            self._tell(kind, (WHOLE,))
            raise
        decisive = DECISIVE.get(kind)
        if decisive is None:
            self._tell(kind, odd)
            return record
        odd += _gaps(record)
        self._tell(kind, odd)
        unreadable = tuple(sorted(decisive.intersection(odd)))
        return record.model_copy(update={"unreadable": unreadable}) if unreadable else record

    def read_any(self, kind: type[Record], data: Any) -> Record:
        """Like ``read``, but an entry of which nothing can be read becomes an empty record that says so.

        For kinds of which no field is required.
        """
        try:
            return self.read(kind, data)
        except ValidationError:
            return kind().model_copy(update={"unreadable": (WHOLE,)})

    def _tell(self, kind: type[Answer], names: Iterable[str]) -> None:
        for name in names:
            if (kind.__name__, name) not in self._told:
                self._told.add((kind.__name__, name))
                log.warning("part of an answer of Bitbucket's cannot be read", record=kind.__name__, field=name)


def _gaps(record: Answer) -> list[str]:
    """What must be there, and came out empty: left out, or of a type in which nobody would look for it."""
    for kind, gaps in _GAPS:
        if isinstance(record, kind):
            return gaps(record)
    return []


def _gaps_of_step(step: PipelineStep) -> list[str]:
    state = step.state
    has_state = bool(state.name) and (bool(state.result) or not state.is_finished)
    return [name for name, there in (("uuid", bool(step.uuid)), ("state", has_state)) if not there]


def _gaps_of_deployment(deployment: Deployment) -> list[str]:
    place = deployment.pipeline_uuid or deployment.step_uuid
    return [name for name, there in (("pipeline_uuid", bool(place)), ("state", bool(deployment.state))) if not there]


def _gaps_of_pipeline(pipeline: Pipeline) -> list[str]:
    return [] if pipeline.state.name else ["state"]


_GAPS: tuple[tuple[type[Answer], Callable[[Any], list[str]]], ...] = (
    (PipelineStep, _gaps_of_step),
    (Deployment, _gaps_of_deployment),
    (Pipeline, _gaps_of_pipeline),
)
