"""Our Bitbucket MCP server with everything the crew can add to it: explained logs, redaction, and proposals.

What a caller wants changed goes through the same catalog, rules, budgets and approvals as the crew's own ideas.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from crews.actions.rerun_pipeline import RerunPipeline
from crews.runtime.context import CrewContext
from opscrew.actions.execution import Execution
from opscrew.actions.records import ActionRecord
from opscrew.ci.explain.lines import explain
from opscrew.ci.rerun.proposal import rerun_action
from opscrew.ci.rerun.stop import stop_action
from opscrew.errors import CrewError
from opscrew.model.action import Action
from opscrew.model.evidence import Evidence
from opscrew.redaction import redact
from tools.bitbucket.client import BitbucketClient
from tools.bitbucket.mcp_lists import find_pipeline
from tools.bitbucket.mcp_server import Wiring, build_server
from tools.bitbucket.mcp_shapes import OfPipeline, Proposal, ProposalArguments
from tools.bitbucket.records import Pipeline
from tools.errors import PermanentError

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server


def bitbucket_server(context: CrewContext) -> Server[Any, Any]:
    """Raises ``PermanentError`` when Bitbucket is not configured."""
    client = context.systems.bitbucket
    if client is None:
        raise PermanentError("bitbucket is not configured", system="bitbucket", hint="Add it to crew.yaml.")
    proposals = _Proposals(context, client)
    return build_server(
        Wiring(
            client=client,
            clean=redact,
            explain=_explained,
            propose_rerun=proposals.rerun,
            propose_stop=proposals.stop,
        )
    )


def own_servers(context: Callable[[], CrewContext]) -> dict[str, Callable[[], Server[Any, Any]]]:
    """Every server that is built into the crew, by its name in the list. ``context`` is asked on first use."""
    return {"bitbucket": lambda: bitbucket_server(context())}


def _explained(log: BinaryIO, budget: int) -> Sequence[tuple[int, str]]:
    return [(line.number, line.text) for line in explain(log, budget=budget).lines]


class _Proposals:
    """Turns a caller's wish into a recorded action. Nothing is sent here."""

    def __init__(self, context: CrewContext, client: BitbucketClient) -> None:
        self._context, self._client = context, client

    def rerun(self, wish: ProposalArguments) -> Proposal:
        pipeline = find_pipeline(self._client, _of(wish))
        action = rerun_action(pipeline, self._repository(wish), _reason(wish), self._evidence(wish, pipeline), "")
        objection = RerunPipeline(self._client).precondition(action)
        if objection:
            raise PermanentError(f"not proposed: {objection}", system="bitbucket")
        return self._proposed(action)

    def stop(self, wish: ProposalArguments) -> Proposal:
        pipeline = find_pipeline(self._client, _of(wish))
        if pipeline.is_finished:
            raise PermanentError("not proposed: it has already ended", system="bitbucket")
        repository = self._repository(wish)
        action = stop_action(pipeline, repository, _reason(wish), self._evidence(wish, pipeline))
        return self._proposed(action)

    def _proposed(self, action: Action) -> Proposal:
        context = self._context
        try:
            execution = Execution(context.engine, context.settings, context.clock, context.uptime)
            record: ActionRecord = execution.propose(action)
        except CrewError as problem:
            raise PermanentError(problem.message, system="bitbucket", hint=problem.hint) from problem
        return Proposal(action=record.id, state=record.state.value, note=record.note)

    def _repository(self, wish: ProposalArguments) -> str:
        return f"{self._client.workspace}/{wish.repository}"

    def _evidence(self, wish: ProposalArguments, pipeline: Pipeline) -> tuple[Evidence, ...]:
        result = pipeline.state.result or pipeline.state.name
        text = f"{self._repository(wish)} #{pipeline.build_number} on {pipeline.target.branch}: {result}"
        return (Evidence(source="bitbucket", text=text, observed_at=self._context.clock()),)


def _of(wish: ProposalArguments) -> OfPipeline:
    return OfPipeline(repository=wish.repository, pipeline=wish.pipeline)


def _reason(wish: ProposalArguments) -> str:
    # The caller is a program that may repeat what a log told it: shown as its words, and without secrets.
    return "asked for through MCP: " + redact(" ".join(wish.reason.split()))
