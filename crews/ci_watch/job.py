"""Every minute: find failed pipelines, explain them, and run those again that a re-run rescues.

fetch (``polling``, ``judge_pipeline``) → judge (``opscrew.ci``) → record (``Standing``, ledger) → decide
(outage, experience, policy) → act and verify (``opscrew.actions``) → learn. Each part is a function of its own; this
file only leads from one to the next.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from crews.actions.rerun_pipeline import RerunPipeline
from crews.actions.rerun_results import RescueLearning
from crews.ci_history.seen import keep_looks
from crews.ci_watch.decisions import Decisions
from crews.ci_watch.judge_pipeline import judge_failure
from crews.ci_watch.polling import PIPELINES_PER_LOOK, Round, look_around
from crews.runtime.context import CrewContext
from opscrew.actions.execution import Execution
from opscrew.actions.records import ActionRecord
from opscrew.ci.judge.classify import Verdict
from opscrew.ci.judge.failures import Failure, failure_finding, with_note
from opscrew.ci.judge.followers import not_passed, not_reached, passed_since
from opscrew.ci.judge.identity import is_same_failure
from opscrew.ci.rerun.history import record_sighting
from opscrew.ci.rerun.outage import Outage, Passed, Sighting
from opscrew.ci.rerun.outage_history import current_outages, record_pass
from opscrew.ci.rerun.proposal import KIND, rerun_action
from opscrew.ci.watch.open_failures import Rerun, Standing, replace_standing, standing_in
from opscrew.ci.watch.standstills import halted_finding, refused_finding
from opscrew.ci.watch.watching import ended, sort_pipelines, watch_rules
from opscrew.errors import CrewError
from opscrew.findings.codes import finding
from opscrew.findings.ledger import Ledger
from opscrew.model.action import ActionState
from opscrew.model.coverage import Gap
from opscrew.model.finding import Finding
from opscrew.model.run import Run, RunOutcome
from opscrew.model.subject import Subject
from tools.bitbucket.client import BitbucketClient
from tools.bitbucket.records import Pipeline
from tools.errors import UpstreamError

log = structlog.get_logger(__name__)

LEFT_OUT_NAMED = 10
"""Repositories named that the request budget had no room for."""

SEEN_TOGETHER = (Verdict.TRANSIENT, Verdict.INFRA_PERSISTENT)
"""Verdicts whose signature in many pipelines at once means an outage. Many genuine failures at once are just a day."""

STANDSTILLS = "/standstills"
"""Ends the source of a repository's findings about what neither fails nor goes on."""


def run(context: CrewContext) -> Run:
    """One round. Never raises for what Bitbucket does; says in the run what did not answer."""
    client = context.systems.bitbucket
    if client is None:
        raise CrewError("bitbucket is not configured", "Add a bitbucket section to crew.yaml.")
    return _Watch(context, client).round()


@dataclass
class _Tally:
    """What the run's summary counts."""

    judged: int = 0
    changed: list[ActionRecord] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unlisted: int = 0


class _Watch:
    """One round over one workspace."""

    def __init__(self, context: CrewContext, client: BitbucketClient) -> None:
        self._context, self._client = context, client
        self._execution = Execution(context.engine, context.settings, context.clock, context.uptime)
        self._executor = RerunPipeline(client, RescueLearning(context.engine, context.clock))
        self._ledger = Ledger(context.engine, context.clock)
        self._tally = _Tally()
        self._outages: dict[str, Outage] = {}

    def round(self) -> Run:
        started = self._context.clock()
        # First what earlier rounds began: a result that is known now decides about what follows.
        self._advance()
        seen = look_around(self._context, self._client)
        keep_looks(self._context, self._client.workspace, seen.pipelines, limit=PIPELINES_PER_LOOK)
        self._outages = current_outages(self._context.engine, self._context.clock())
        complete = {repo: self._judge_repository(repo, pipelines) for repo, pipelines in seen.pipelines.items()}
        self._decide(complete)
        self._advance()
        self._forget(seen.gone)
        self._tell_what_was_refused(seen)
        self._tell_whether_bitbucket_answers(seen)
        return self._summary(started, seen)

    def _advance(self) -> None:
        """Sends, recovers and follows. The executor passes on what is learned from each re-run that has ended."""
        moved = self._execution.advance((self._executor,))
        self._tally.changed += moved.changed
        self._tally.problems += moved.problems
        for record in moved.changed:
            if record.action.kind == KIND:
                # Something has just happened there: the next round looks again instead of waiting for its turn.
                self._context.woken_by.put(record.action.target.scope.split("/", 1)[1])

    def _judge_repository(self, repo: str, pipelines: Iterable[Pipeline]) -> bool:
        """Judges what is new and keeps what still stands. False when something could not be read: ask again."""
        repository = f"{self._client.workspace}/{repo}"
        before = standing_in(self._context.engine, repository)
        pipelines = tuple(pipelines)
        self._end_outages(repo, pipelines, before.values())
        sorting = sort_pipelines(pipelines, before, self._context.clock(), watch_rules())
        now_standing, complete = list(sorting.keep), True
        listed = {pipeline.target.key for pipeline in pipelines}
        self._tally.unlisted += sum(one.target_key not in listed for one in sorting.keep)
        self._end(repository, sorting.passed_between)
        earlier = {key: one for key, one in before.items() if one not in sorting.passed_between}
        for pipeline, failed in sorting.paused:
            try:
                now_standing += not_passed(failed, self._client.steps(repo, pipeline.uuid))
            except UpstreamError as problem:
                self._tally.problems.append(f"{repository}#{pipeline.build_number}: {problem}")
                now_standing.append(failed)
                complete = False
        for pipeline in sorting.judge:
            try:
                now_standing.append(self._judge(repo, pipeline, earlier.get(pipeline.target.key)))
            except UpstreamError as problem:
                self._tally.problems.append(f"{repository}#{pipeline.build_number}: {problem}")
                complete = False
                if pipeline.target.key in earlier:
                    now_standing.append(earlier[pipeline.target.key])
        replace_standing(self._context.engine, repository, now_standing)
        halted = [halted_finding(pipeline, repository) for pipeline in sorting.halted]
        self._ledger.observe(f"ci_watch/{repository}{STANDSTILLS}", halted, complete=True)  # it could be read, too
        return complete

    def _end_outages(self, repo: str, pipelines: Iterable[Pipeline], before: Iterable[Standing]) -> None:
        for outage in [one for one in self._outages.values() if one.hit(f"{self._client.workspace}/{repo}")]:
            try:
                passed = passed_since(outage, pipelines, before, lambda one: self._client.steps(repo, one.uuid))
            except UpstreamError as problem:
                self._tally.problems.append(f"{self._client.workspace}/{repo}: {problem}")
                continue
            if passed is not None:
                key = f"{self._client.workspace}/{repo}#{passed.build_number}"
                record_pass(self._context.engine, Passed(outage.signature, key, passed.created_on))
                del self._outages[outage.signature]

    def _end(self, repository: str, over: Iterable[Standing]) -> None:
        """They passed between two looks, so that what fails now is a new failure, even if it looks the same."""
        ended = {told.fingerprint for one in over for told in one.findings}
        if ended:
            self._ledger.observe(f"ci_watch/{repository}", (), complete=False, gone=ended)

    def _judge(self, repo: str, pipeline: Pipeline, before: Standing | None) -> Standing:
        failure = judge_failure(self._client, repo, pipeline)
        self._tally.judged += 1
        if failure.verdict in SEEN_TOGETHER and failure.signature:
            key = f"{failure.repository}#{pipeline.build_number}"
            record_sighting(self._context.engine, Sighting(failure.signature, key, ended(pipeline)))
        told = failure_finding(failure)
        behind = not_reached(before, told, lambda: self._client.steps(repo, pipeline.uuid))
        same = next((one for one in (before.findings if before else ()) if is_same_failure(one, told)), None)
        if same is not None:
            told = told.model_copy(update={"aspect": same.aspect})
        rerun = Rerun.WANTED if failure.verdict is Verdict.TRANSIENT else Rerun.NOT_WANTED
        mine = self._our_rerun(failure)
        if mine is not None:
            number = mine.action.parameters["build_number"]
            told = with_note(told, f"it was the re-run of #{number}", code="CI_RERUN_FAILED", action=mine.id)
            rerun = Rerun.FAILED
        return Standing(failure.repository, pipeline.target.key, pipeline.uuid, ended(pipeline), rerun, told, behind)

    def _our_rerun(self, failure: Failure) -> ActionRecord | None:
        """The action that started this very pipeline, if one of ours did."""
        probe = rerun_action(failure.pipeline, failure.repository, "", (), "")
        record = self._execution.find(probe.idempotency_key)
        if record is None or record.receipt is None or record.receipt.external_id != failure.pipeline.uuid:
            return None
        return record

    def _decide(self, complete: dict[str, bool]) -> None:
        """Proposes what is wanted, and tells the ledger what stands."""
        decisions = Decisions(self._context, self._client, self._execution, self._executor)
        decisions.propose_wanted()
        self._tally.problems += decisions.problems
        self._ledger.observe("ci_watch/outages", decisions.outage_findings(), complete=True)
        for repo in {*complete, *decisions.touched_repositories}:
            repository = f"{self._client.workspace}/{repo}"
            told: list[Finding] = []
            for one in standing_in(self._context.engine, repository).values():
                told += one.behind
                told += [] if decisions.is_named(one) else [decisions.as_it_stands(one)]
            self._ledger.observe(f"ci_watch/{repository}", told, complete=complete.get(repo, False))

    def _forget(self, gone: Iterable[str]) -> None:
        """What failed in a repository that is no longer there, or no longer watched, is over."""
        for repo in gone:
            repository = f"{self._client.workspace}/{repo}"
            log.warning("a repository is gone or no longer watched", repository=repository)
            replace_standing(self._context.engine, repository, ())
            for part in ("", STANDSTILLS):
                self._ledger.observe(f"ci_watch/{repository}{part}", (), complete=True)

    def _tell_what_was_refused(self, seen: Round) -> None:
        """A refusal is an answer about one repository, and ends when that repository can be read again."""
        for repo, refusal in seen.refused.items():
            repository = f"{self._client.workspace}/{repo}"
            told = [refused_finding(repository, refusal)]
            self._ledger.observe(f"ci_watch/{repository}{STANDSTILLS}", told, complete=False)

    def _tell_whether_bitbucket_answers(self, seen: Round) -> None:
        problems = []
        if seen.is_down:
            subject = Subject(system="bitbucket", kind="workspace", name=self._client.workspace)
            first = next(iter(seen.problems.values()), "no answer")
            problems.append(finding("SYSTEM_UNAVAILABLE", subject, f"Bitbucket does not answer: {first}"))
        self._ledger.observe("ci_watch/bitbucket", problems, complete=seen.has_asked)
        self._context.metrics.budget_left.labels("bitbucket").set(self._client.budget.remaining)

    def _summary(self, started: datetime, seen: Round) -> Run:
        sent = sum(1 for record in self._tally.changed if record.state is ActionState.SENT)
        rescued = sum(1 for record in self._tally.changed if record.state is ActionState.SUCCEEDED)
        parts = [f"{len(seen.pipelines)} repositories looked at", f"{self._tally.judged} failures judged"]
        parts += [f"{count} re-runs {word}" for count, word in ((sent, "started"), (rescued, "passed")) if count]
        unread = {**seen.problems, **seen.refused}
        if unread:
            parts.append(f"{len(unread)} could not be read: {next(iter(unread.values()))}")
        if self._tally.unlisted:
            gap = Gap("earlier failures", "what followed them is not among the newest pipelines")
            parts.append(f"{self._tally.unlisted} {gap}")
        parts += [f"no longer watched: {', '.join(seen.gone)}"] if seen.gone else []
        parts += [_told_left_out(seen.left_out)] if seen.left_out else []
        parts += [f"{len(self._tally.problems)} problems: {self._tally.problems[0]}"] if self._tally.problems else []
        failed = bool(unread or self._tally.problems)
        return Run(
            crew="ci_watch",
            started_at=started,
            ended_at=max(started, self._context.clock()),
            outcome=RunOutcome.PARTIAL if failed else RunOutcome.OK,
            summary=", ".join(parts),
            read_nothing=bool(seen.is_down or unread) and not seen.pipelines,
            unavailable=("bitbucket",) if seen.is_down else tuple(f"bitbucket {repo}" for repo in unread),
        )


def _told_left_out(repositories: tuple[str, ...]) -> str:
    named = ", ".join(repositories[:LEFT_OUT_NAMED])
    more = f" and {len(repositories) - LEFT_OUT_NAMED} more" if len(repositories) > LEFT_OUT_NAMED else ""
    return f"{len(repositories)} repositories left out for now by the request budget: {named}{more}"
