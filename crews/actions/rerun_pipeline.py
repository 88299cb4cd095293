"""Runs a Bitbucket pipeline again: asks once more whether it may, sends one request, finds it again, follows it.

Bitbucket has no idempotency key. What identifies our re-run is its build number: the pipeline was the newest of its
target when it was sent, so any later one of the same target and commit came after us. A person who clicked in the
same minute is taken for us, which errs on the safe side: nothing runs twice.
"""

from __future__ import annotations

from datetime import datetime

from crews.actions.rerun_results import RescueLearning
from opscrew.actions.executor import NotYetError, Outcome, Receipt, SendRefusedError
from opscrew.ci.rerun.proposal import KIND, RerunCase, newest_of, why_not_rerun
from opscrew.ci.watch.pauses import failed_steps, has_passed
from opscrew.model.action import Action
from opscrew.reading_time import minute
from tools.bitbucket.client import BitbucketClient
from tools.bitbucket.failures import Refused
from tools.bitbucket.records import Pipeline
from tools.bitbucket.rerun_request import missing_for_rerun
from tools.errors import TemporaryError, UpstreamError

LOOK_BACK = 100
"""Pipelines of one repository to look through: one page of the API, hours of work in the busiest repository."""

MOST_DEPLOYMENTS = 300
"""Three pages. Mostly the first is enough, since those that began before the pipeline need not be looked at."""


class RerunPipeline:
    """Executor of ``rerun_pipeline``. Targets have the scope "workspace/slug"."""

    kind = KIND

    def __init__(self, client: BitbucketClient, learning: RescueLearning | None = None) -> None:
        """Without ``learning`` nobody is told what became of the re-runs: enough for asking and for sending."""
        self._client, self._learning = client, learning

    def precondition(self, action: Action) -> str | None:
        """Besides what the rules say: no re-run while its signature is an outage, whoever asked for it."""
        outage = None if self._learning is None else self._learning.held_back_by(action)
        if outage is not None:
            # Nothing that changes while it lasts: each new note is an entry of the audit log.
            raise NotYetError(f"{outage.signature} is an outage since {minute(outage.started_at)}")
        repo = _slug(action)
        pipeline = self._client.pipeline(repo, action.parameters["pipeline_uuid"])
        deployments = self._client.deployments(repo, limit=MOST_DEPLOYMENTS, since=pipeline.created_on)
        case = RerunCase(
            pipeline=pipeline,
            steps=self._client.steps(repo, pipeline.uuid),
            newest=newest_of(pipeline.target.key, self._client.pipelines(repo, limit=LOOK_BACK, every=True)),
            deployments=deployments,
            knows_all_deployments=len(deployments) < MOST_DEPLOYMENTS,
            judged_end=action.parameters.get("ended_at", ""),
        )
        return why_not_rerun(case)

    def send(self, action: Action) -> Receipt:
        repo = _slug(action)
        try:
            original = self._client.pipeline(repo, action.parameters["pipeline_uuid"])
        except TemporaryError as problem:
            problem.not_accepted = True  # nothing was asked for yet
            raise
        except UpstreamError as problem:
            raise SendRefusedError(str(problem)) from problem
        missing = missing_for_rerun(original)
        if missing:
            raise SendRefusedError(f"nothing was sent: {missing}")
        try:
            return _receipt(self._client.rerun(repo, original))
        except Refused as refused:
            # The server's words, and what they mean for the person who approved it.
            raise SendRefusedError(f"{refused} {refused.hint}".strip()) from refused
        except TemporaryError as problem:
            problem.message = f"{problem.message}. {problem.hint}".strip()
            raise

    def find_sent(self, action: Action, since: datetime) -> Receipt | None:
        del since  # build numbers tell more than two clocks
        number = action.parameters["build_number"]
        # One that cannot be read may be ours: then nobody knows, which is an error and no "it never arrived".
        listed = self._client.pipelines(_slug(action), limit=LOOK_BACK, every=True)
        ours = [
            one
            for one in listed
            if one.build_number > number
            and one.target.key == action.parameters["target_key"]
            and one.target.commit == action.parameters["commit"]
        ]
        if ours:
            return _receipt(min(ours, key=lambda one: one.build_number))
        if all(one.build_number > number for one in listed):
            # More were started since than are listed, or nothing is listed at all: ours may be among what is not seen.
            raise TemporaryError("the list of pipelines does not reach back to the failed one", system="bitbucket")
        return None

    def outcome(self, action: Action, receipt: Receipt) -> Outcome | None:
        pipeline = self._client.pipeline(_slug(action), receipt.external_id)
        if pipeline.state.is_waiting:
            return self._outcome_before_pause(action, pipeline)
        if not pipeline.is_finished:
            return None
        # Stopped by a person, or ended in a way we do not know: neither rescued nor failed again.
        if self._learning is not None and (pipeline.successful or pipeline.failed):
            self._learning.ended(action, passed=pipeline.successful)
        word = pipeline.state.result.lower() or "unknown"
        return Outcome(pipeline.successful, f"re-run #{pipeline.build_number} ended {word}")

    def _outcome_before_pause(self, action: Action, pipeline: Pipeline) -> Outcome | None:
        """What waits for a person may wait for days: by then what was to be rescued has long passed, or never will."""
        repo = _slug(action)
        before = failed_steps(self._client.steps(repo, action.parameters["pipeline_uuid"]))
        passed = has_passed(self._client.steps(repo, pipeline.uuid), before)
        if passed is None:
            return None
        halted = pipeline.state.is_halted
        if not passed:
            waits = "was halted by Bitbucket" if halted else "waits for a person"
            return Outcome(False, f"re-run #{pipeline.build_number} {waits} before the step that had failed")
        if self._learning is not None:
            self._learning.ended(action, passed=True)
        until = "where Bitbucket has halted it" if halted else "a step that a person starts"
        return Outcome(True, f"re-run #{pipeline.build_number} passed, up to {until}")


def _receipt(pipeline: Pipeline) -> Receipt:
    return Receipt(pipeline.uuid, pipeline.url, f"started as #{pipeline.build_number}")


def _slug(action: Action) -> str:
    return action.target.scope.split("/", 1)[1]
