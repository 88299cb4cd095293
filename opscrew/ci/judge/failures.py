"""A judged pipeline failure, and the finding that tells people about it.

The finding's subject is what keeps failing (a branch, a tag, a pull request, a custom pipeline of one repository),
not the single build: the same failure in the next build is the same finding, still going on, and a build that passes
resolves it. ``identity.py`` says what the same failure is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opscrew.ci.explain.lines import Explanation
from opscrew.ci.judge.classify import Classification, Verdict
from opscrew.ci.judge.identity import FAMILY, aspect_of
from opscrew.ci.rerun.proposal import end_of
from opscrew.findings.codes import codes, finding
from opscrew.model.evidence import Evidence
from opscrew.model.finding import Finding
from opscrew.model.subject import Subject
from opscrew.redaction import redact
from tools.bitbucket.records import Pipeline, PipelineStep

CODES = {
    Verdict.TRANSIENT: "CI_TRANSIENT_NETWORK",
    Verdict.GENUINE: "CI_GENUINE_FAILURE",
    Verdict.INFRA_PERSISTENT: "CI_INFRA_PERSISTENT",
    Verdict.UNKNOWN: "CI_UNKNOWN_FAILURE",
}

RUNNER_SIGNATURES = frozenset(
    {"runner-lost", "runner-evicted", "docker-daemon", "device-not-ready", "ci-service", "package-manager-locked"}
)
"""Passing trouble of the machine under the step, not of the network: told apart because the next step differs."""

WEIGHT = (Verdict.GENUINE, Verdict.INFRA_PERSISTENT, Verdict.UNKNOWN, Verdict.TRANSIENT)
"""Of several failed steps the first of these decides: one step that fails again makes a re-run useless."""

EVIDENCE_LINES = 8
"""Lines shown to a person who has a minute; the log is one click away."""

LONGEST_MESSAGE = 2_000
"""Characters of Bitbucket's own word on a failure. It may quote the build, and so also a secret of it."""

LONGEST_WORDS = 300
"""Characters of it in the finding's own sentence: the place in the definition and what is wrong there."""

WHOLE = "pipeline definition"
"""In place of a step's name where the pipeline failed as a whole."""

LINES_OF_THE_STEP = 3
"""Best explaining lines that are added where the signature's own lines are few."""


@dataclass(frozen=True)
class StepFailure:
    """One failed step with the lines that explain it and the verdict over them. ``step`` is None for a failure of
    the pipeline as a whole (its definition did not parse). ``log_is_cut``: only the end of the log was read."""

    step: PipelineStep | None
    explanation: Explanation
    classification: Classification
    log_is_cut: bool = False

    @property
    def name(self) -> str:
        return self.step.name if self.step else WHOLE


@dataclass(frozen=True)
class Failure:
    """One failed pipeline. ``repository`` is "workspace/slug"; ``steps`` has at least one entry.

    ``failed_steps`` are the names of all that failed, also of those that were not read, each of its own.
    """

    repository: str
    pipeline: Pipeline
    steps: tuple[StepFailure, ...]
    failed_steps: tuple[str, ...] = ()

    @property
    def deciding(self) -> StepFailure:
        """The step whose verdict stands for the pipeline."""
        return min(self.steps, key=lambda one: WEIGHT.index(one.classification.verdict))

    @property
    def verdict(self) -> Verdict:
        return self.deciding.classification.verdict

    @property
    def signature(self) -> str:
        return self.deciding.classification.signature


MERGE_QUEUE = "merge queue"
"""Tells the findings of a merge queue from those of the branch that it merges into."""


def target_subject(pipeline: Pipeline, repository: str) -> Subject:
    """What keeps failing, as people name it: "branch acme/shop/main", "pull request acme/shop/12".

    A merge queue makes a branch for each run, so there it is the branch that is to be merged into.
    """
    target = pipeline.target
    if target.is_pull_request:
        kind, name = "pull request", target.pull_request_id
    elif target.is_merge_queue:
        kind, name = "branch", target.target_branch
    else:
        kind, name = target.ref_type or "commit", target.ref_name or target.commit[:12]
    if target.selector and target.selector.type == "custom":
        name = f"{name} ({target.selector.pattern})"
    return Subject(system="bitbucket", kind=kind, scope=repository, name=name, url=pipeline.url)


def code_of(failure: Failure) -> str:
    """The finding code for a verdict."""
    if failure.verdict is Verdict.TRANSIENT and failure.signature in RUNNER_SIGNATURES:
        return "CI_TRANSIENT_INFRA"
    return CODES[failure.verdict]


def failure_finding(failure: Failure) -> Finding:
    """The finding of one failure, before anything was decided about it."""
    decided, what = failure.deciding, _what_failed(failure)
    told = finding(
        code_of(failure),
        target_subject(failure.pipeline, failure.repository),
        what,
        next_step=decided.classification.next_step,
        aspect=MERGE_QUEUE if failure.pipeline.target.is_merge_queue else "",
        evidence=_evidence(failure),
        details={
            "what": what,
            "pipeline_uuid": failure.pipeline.uuid,
            "build_number": failure.pipeline.build_number,
            "commit": failure.pipeline.target.commit,
            "ended_at": end_of(failure.pipeline),
            "failed_steps": list(failure.failed_steps),
            "target_key": failure.pipeline.target.key,
            "verdict": failure.verdict.value,
            "signature": decided.classification.signature,
            "confidence": decided.classification.confidence,
            "host": decided.classification.host,
            "step": decided.name,
            "url": failure.pipeline.url,
        },
    )
    aspect = ": ".join(part for part in (told.aspect, aspect_of(told)) if part)
    identity = {"family": FAMILY, "aspect": aspect, "occasion": failure.pipeline.uuid}
    return told.model_copy(update=identity)


def _what_failed(failure: Failure) -> str:
    """One sentence, in Bitbucket's own words where no step failed."""
    decided, others = failure.deciding, len(failure.steps) - 1
    kind = f" ({decided.classification.signature})" if decided.classification.signature else ""
    queue = f" of the {MERGE_QUEUE}" if failure.pipeline.target.is_merge_queue else ""
    build = f"#{failure.pipeline.build_number}{queue}"
    if decided.step:
        return f"{build} failed in step {decided.name!r}{kind}" + (f" and in {others} more" if others else "")
    words = " ".join(_words_about(failure).split())[:LONGEST_WORDS]
    return f"{build} failed without a failed step{kind}: {words or 'Bitbucket gives no reason'}"


def with_note(told: Finding, note: str, *, code: str = "", **details: Any) -> Finding:
    """The same failure with what was decided about it, under another code where the decision changes its meaning."""
    entry = codes()[code or told.code]
    return told.model_copy(
        update={
            "code": entry.name,
            "severity": entry.severity,
            "next_step": entry.next_step,
            "cause": f"{told.details['what']}. {note[:1].upper()}{note[1:]}",
            "details": {**told.details, **details},
        }
    )


def _evidence(failure: Failure) -> Iterable[Evidence]:
    decided, when = failure.deciding, _ended(failure.pipeline)
    source = f"bitbucket log {failure.repository}#{failure.pipeline.build_number} step {decided.name}"
    words = _words_about(failure)
    if words:
        place = f"{failure.repository}#{failure.pipeline.build_number}"
        yield Evidence(
            source=f"bitbucket step error {place} step {decided.name}" if decided.step else f"bitbucket error {place}",
            text=words[:LONGEST_MESSAGE],
            observed_at=when,
            link=failure.pipeline.url,
        )
    # The lines that decided come first: a list of findings shows two, and they should be the telling ones.
    chosen = dict.fromkeys(decided.classification.lines)
    if len(chosen) < LINES_OF_THE_STEP:
        chosen |= dict.fromkeys(decided.explanation.lines[:LINES_OF_THE_STEP])
    telling = [line for line in chosen if line.number > 0 and any(character.isalnum() for character in line.text)]
    for line in telling[:EVIDENCE_LINES]:
        # A line of a cut log has no place that a person could find in the whole one.
        place = source if decided.log_is_cut else f"{source} line {line.number}"
        yield Evidence(source=place, text=line.text, observed_at=when, link=failure.pipeline.url)


def _words_about(failure: Failure) -> str:
    """Bitbucket's own word on the deciding step, or on the pipeline where no step failed."""
    if failure.deciding.step:
        return redact(failure.deciding.step.error_message)
    error = failure.pipeline.error or failure.pipeline.state.error
    return redact(error.message or error.key) if error else ""


def _ended(pipeline: Pipeline) -> datetime:
    return pipeline.completed_on or pipeline.created_on
