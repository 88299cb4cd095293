"""Sorts what a look at one repository shows: what to judge, what still stands, what is over. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from opscrew.ci.rerun.proposal import end_of
from opscrew.ci.watch.open_failures import Standing
from opscrew.strict_yaml import load_strictly
from tools.bitbucket.records import Pipeline

RULES_FILE = Path(__file__).with_name("watching.yaml")


class WatchRules(BaseModel):
    """The numbers of ``watching.yaml``, explained there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    judge_hours: float = Field(gt=0)
    rerun_hours: float = Field(gt=0)
    forget_hours: float = Field(gt=0)


@cache
def watch_rules() -> WatchRules:
    """The rules as shipped."""
    return load_strictly(RULES_FILE, WatchRules)


@dataclass(frozen=True)
class Sorting:
    """``judge`` are failures not judged yet, ``keep`` those that still stand. ``paused`` are those whose newest
    pipeline waits for a person: its steps tell whether they stand. What is in none of these is over.


    ``halted`` are newest pipelines of their target that Bitbucket holds back, whatever came before them.
    ``passed_between`` are those whose target has passed since and fails anew: over as well.
    """

    judge: tuple[Pipeline, ...]
    keep: tuple[Standing, ...]
    paused: tuple[tuple[Pipeline, Standing], ...] = ()
    halted: tuple[Pipeline, ...] = ()
    passed_between: tuple[Standing, ...] = ()


def sort_pipelines(
    pipelines: Iterable[Pipeline], standing: Mapping[str, Standing], now: datetime, rules: WatchRules
) -> Sorting:
    """``pipelines`` is the newest page of one repository, ``standing`` what failed before, by target key.

    Only the newest pipeline of a target counts: an older failure was superseded, whatever it was.
    """
    newest: dict[str, Pipeline] = {}
    last_passed: dict[str, int] = {}
    for pipeline in pipelines:
        key, number = pipeline.target.key, pipeline.build_number
        if key not in newest or number > newest[key].build_number:
            newest[key] = pipeline
        if pipeline.successful:
            last_passed[key] = max(number, last_passed.get(key, 0))
    judge, keep, paused, between = [], [], [], []
    for key, pipeline in newest.items():
        before = standing.get(key)
        if pipeline.failed and (before is None or not _is_judged(pipeline, before)):
            if before is not None or now - ended(pipeline) <= timedelta(hours=rules.judge_hours):
                judge.append(pipeline)
            if before is not None and last_passed.get(key, 0) > before.build_number:
                between.append(before)
        elif before is not None and pipeline.state.is_waiting:
            paused.append((pipeline, before))
        elif before is not None and not pipeline.successful:
            # Still the same failure, or a newer build that runs, was stopped or ended in a way we do not know: none
            # of these says that the trouble is over.
            keep.append(before)
    keep += [
        before
        for key, before in standing.items()
        if key not in newest and now - before.failed_at <= timedelta(hours=rules.forget_hours)
    ]
    halted = tuple(one for one in newest.values() if one.state.is_halted)
    return Sorting(tuple(judge), tuple(keep), tuple(paused), halted, tuple(between))


def _is_judged(pipeline: Pipeline, before: Standing) -> bool:
    """Whether this very end of it was judged: steps that are run again in place leave the pipeline's UUID as it was."""
    same_end = before.finding.details.get("ended_at", end_of(pipeline)) == end_of(pipeline)
    return before.pipeline_uuid == pipeline.uuid and same_end


def ended(pipeline: Pipeline) -> datetime:
    """When it failed, as well as Bitbucket says."""
    return pipeline.completed_on or pipeline.created_on
