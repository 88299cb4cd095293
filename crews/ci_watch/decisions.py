"""Decides about failures that a re-run may rescue: outage, experience, rules and policy, in this order."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from datetime import timedelta
from functools import cached_property

from crews.actions.rerun_pipeline import RerunPipeline
from crews.actions.rerun_results import with_cause
from crews.runtime.context import CrewContext
from opscrew.actions.execution import Execution
from opscrew.actions.executor import NotYetError
from opscrew.actions.records import ActionRecord
from opscrew.ci.judge.failures import with_note
from opscrew.ci.rerun.history import host_stays_broken, rescue_record
from opscrew.ci.rerun.outage import Outage
from opscrew.ci.rerun.outage_history import current_outages
from opscrew.ci.rerun.proposal import REPEATED_IN_PLACE, end_of, rerun_action
from opscrew.ci.rerun.success_rate import rescue_estimate
from opscrew.ci.watch.open_failures import Rerun, Standing, standing_wanted, update_standing
from opscrew.ci.watch.watching import watch_rules
from opscrew.findings.codes import finding
from opscrew.model.action import ActionState
from opscrew.model.evidence import Evidence
from opscrew.model.finding import Finding
from opscrew.model.subject import Subject
from opscrew.reading_time import clock_time
from tools.bitbucket.client import BitbucketClient
from tools.errors import UpstreamError

PIPELINES_NAMED = 150
"""Pipelines of an outage that its finding names. What it does not name stays a finding of its own."""

NAMES_IN_A_LINE = 400
"""Characters: what is stored of a line of evidence holds a few more."""


class Decisions:
    """Made once a round, after everything was judged: an outage shows only over all repositories."""

    def __init__(
        self, context: CrewContext, client: BitbucketClient, execution: Execution, executor: RerunPipeline
    ) -> None:
        self._context, self._client = context, client
        self._execution, self._executor = execution, executor
        self._trying: set[str] = set()
        self.touched_repositories: set[str] = set()
        self.problems: list[str] = []

    @cached_property
    def outages(self) -> dict[str, Outage]:
        """What goes on at present, by signature."""
        return current_outages(self._context.engine, self._context.clock())

    def is_named(self, standing: Standing) -> bool:
        """Whether an outage's finding tells of this failure already."""
        outage = self.outages.get(standing.signature)
        key = f"{standing.repository}#{standing.finding.details['build_number']}"
        return outage is not None and key in outage.pipelines[:PIPELINES_NAMED]

    def propose_wanted(self) -> None:
        """Settles every failure that waits for a decision."""
        for standing in standing_wanted(self._context.engine, self._client.workspace):
            if self._is_held_back(standing.signature):
                continue  # it stays wanted until the outage ends
            try:
                decided = self._decide(standing)
            except NotYetError:
                continue  # an outage that began since this round looked, or that another re-run tries
            except UpstreamError as problem:
                self.problems.append(f"{standing.finding.subject}: {problem}")
                continue
            if decided.rerun is Rerun.PROPOSED:
                self._trying.add(standing.signature)
            update_standing(self._context.engine, decided)
            self.touched_repositories.add(standing.repository.split("/", 1)[1])

    def _is_held_back(self, signature: str) -> bool:
        """While it is an outage: until it has been quiet for long enough, and then all but one."""
        outage = self.outages.get(signature)
        return outage is not None and (self._context.clock() < outage.tried_from or signature in self._trying)

    def as_it_stands(self, standing: Standing) -> Finding:
        """Its finding; where a re-run was proposed, with what became of that since: somebody may have denied it."""
        if standing.rerun is Rerun.WANTED and standing.signature in self.outages:
            return with_note(standing.finding, f"not run again while {standing.signature} is an outage")
        if standing.rerun is not Rerun.PROPOSED:
            return standing.finding
        record = self._execution.get(standing.finding.details["action"])
        return with_note(standing.finding, _told_action(record, standing))

    def outage_findings(self) -> list[Finding]:
        """One finding per outage, in place of those of its pipelines."""
        return [self._outage_finding(outage) for outage in self.outages.values()]

    def _decide(self, standing: Standing) -> Standing:
        told, details = standing.finding, standing.finding.details
        repo = standing.repository.split("/", 1)[1]
        age = self._context.clock() - standing.failed_at
        if age > timedelta(hours=watch_rules().rerun_hours):
            hours = age.total_seconds() / 3600
            return self._impossible(
                standing, f"it failed {hours:.0f} hours ago, too long for a re-run to be waited for"
            )
        host = str(details.get("host", ""))
        if host_stays_broken(self._context.engine, self._client.workspace, host, self._context.clock()):
            return _stays_broken(standing, host)
        record = rescue_record(self._context.engine, standing.signature, standing.repository, self._context.clock())
        estimate = rescue_estimate(record)
        if estimate.demoted:
            return replace(standing, rerun=Rerun.NOT_WANTED, finding=with_note(told, f"not run again: {estimate.text}"))
        pipeline = self._client.pipeline(repo, details["pipeline_uuid"])
        if details.get("ended_at", end_of(pipeline)) != end_of(pipeline):
            return self._impossible(standing, REPEATED_IN_PLACE)  # its new end is judged at the next look
        reason = f"{details['what']}: {details['signature']} usually passes when run again: {estimate.text}"
        action = rerun_action(pipeline, standing.repository, reason, told.evidence, told.fingerprint)
        action = with_cause(action, standing.signature, host)
        objection = self._executor.precondition(action)
        if objection:
            return self._impossible(standing, objection)
        proposed = self._execution.propose(action)
        if proposed.state is ActionState.REFUSED:
            return self._impossible(standing, proposed.note)
        return replace(
            standing,
            rerun=Rerun.PROPOSED,
            finding=with_note(told, _told_action(proposed, standing), action=proposed.id),
        )

    def _impossible(self, standing: Standing, why: str) -> Standing:
        told = with_note(standing.finding, f"not run again: {why}", code="CI_RERUN_IMPOSSIBLE")
        return replace(standing, rerun=Rerun.IMPOSSIBLE, finding=told)

    def _outage_finding(self, outage: Outage) -> Finding:
        count, named = len(outage.pipelines), outage.pipelines[:PIPELINES_NAMED]
        lines = textwrap.wrap(", ".join(named), NAMES_IN_A_LINE, break_long_words=False, break_on_hyphens=False)
        return finding(
            "CI_OUTAGE",
            Subject(system="bitbucket", kind="workspace", name=self._client.workspace),
            f"{outage.signature} in {count} pipelines since {clock_time(outage.started_at)}; re-runs are held back "
            "until what follows passes",
            aspect=outage.signature,
            evidence=[Evidence(source="crew sightings", text=line, observed_at=outage.last_seen_at) for line in lines],
            details={
                "signature": outage.signature,
                "pipelines": list(named),
                "started_at": outage.started_at.isoformat(),
                "last_seen_at": outage.last_seen_at.isoformat(),
                "tried_from": outage.tried_from.isoformat(),
            },
        )


def _stays_broken(standing: Standing, host: str) -> Standing:
    note = f"not run again: the last re-run after a failure on {host} failed as well"
    told = with_note(standing.finding, note, code="CI_INFRA_PERSISTENT", verdict="infra_persistent")
    return replace(standing, rerun=Rerun.NOT_WANTED, finding=told)


def _told_action(record: ActionRecord, standing: Standing) -> str:
    if record.state is ActionState.WAITING:
        # The command first: a list cuts what is long, and half an id helps nobody.
        return f"a re-run waits for approval: crew actions approve {record.id} ({record.note})"
    # A commit has one action for ever, so that of a later build may be one that was settled for an earlier build.
    earlier = record.action.parameters["pipeline_uuid"] != standing.pipeline_uuid
    if record.state.final and (earlier or record.state is not ActionState.SUCCEEDED):
        which = f"#{record.action.parameters['build_number']} of the same commit" if earlier else "it"
        return f"action {record.id} to run {which} again is {record.state.value}: {record.note}"
    # Why it is not sent yet, or not known to have been.
    waits = f": {record.note}" if record.note and record.state in (ActionState.APPROVED, ActionState.SENDING) else ""
    return f"re-run as action {record.id}{waits}"
