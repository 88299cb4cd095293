"""Turns "re-run it" into a proposed action with what policy says of it. Nothing is sent from here, and no model takes
part: the wish comes from the person, the target from records, the permission from policy."""

from __future__ import annotations

import re
from dataclasses import dataclass

from crews.collectors.collector import Request
from crews.executors.rerun_pipeline import RerunPipeline
from opscrew.actions.execution import Execution
from opscrew.actions.records import ActionRecord
from opscrew.answer.intents import guess
from opscrew.answer.packet import Fact
from opscrew.answer.subjects import branch_of
from opscrew.answer.wording import plain
from opscrew.ci.rerun import rerun_action
from opscrew.ci.stop import stop_action
from opscrew.model.action import Action
from opscrew.model.evidence import Evidence
from opscrew.model.subject import Subject
from opscrew.store.text import storable
from tools.bitbucket.client import BitbucketClient
from tools.bitbucket.records import Pipeline
from tools.errors import UpstreamError

STOP = re.compile(r"\b(?:stop|cancel|abort|kill)\b", re.IGNORECASE)
RESTART = re.compile(r"\b(?:re-?start|bounce)\b", re.IGNORECASE)
SCALE = re.compile(r"\bscale\b.*?\bto (\d{1,3})\b", re.IGNORECASE)
RERUN = re.compile(
    r"\b(?:re-?run|re-?try|re-?build|re-?trigger|re-?start|run|start|trigger|again|"
    r"do (?:it|that|so)|go ahead|go for it|make it so|yes)\b",
    re.IGNORECASE,
)
WHY = "asked for by a person"
UNNAMED = 'name a repository or a workload that I know, for example "re-run shop #42"'
VERBS = (STOP, RESTART, SCALE, RERUN)
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")


@dataclass(frozen=True)
class Proposal:
    """``record`` is None where nothing could be proposed; ``text`` says in any case what became of it."""

    text: str
    record: ActionRecord | None = None


def propose(request: Request) -> Proposal:
    """Never raises for what Bitbucket does."""
    workload = next((one for one in request.understood.subjects if one.kind in WORKLOADS), None)
    wish = _wish(request)
    try:
        if workload is not None and (RESTART.search(wish) or SCALE.search(wish)):
            return _about_workload(request, workload, wish)
        if STOP.search(wish):
            return _about_pipeline(request, stop=True)
        if RERUN.search(wish):
            return _about_pipeline(request, stop=False)
    except UpstreamError as problem:
        return Proposal(storable(f"Nothing is proposed: {problem}."))
    return Proposal("I cannot propose that from a question. `crew actions` lists what I may do.")


def _about_pipeline(request: Request, *, stop: bool) -> Proposal:
    client = request.context.systems.bitbucket
    if client is None:
        return Proposal("Nothing is proposed: Bitbucket is not configured.")
    if not request.repository or request.understood.assumed:
        # A misspelt name is good enough to read by, never to act on.
        return Proposal(f"Nothing is proposed: {UNNAMED}.")
    pipeline = _pipeline(client, request, running=stop)
    if pipeline is None:
        return Proposal(
            f"Nothing is proposed: I see no {'running' if stop else 'failed'} pipeline of {request.repository}."
        )
    repository = f"{client.workspace}/{request.repository}"
    if stop:
        if not pipeline.state.is_running:
            return Proposal(f"Nothing is proposed: #{pipeline.build_number} does not run.")
        return _told(request, stop_action(pipeline, repository, WHY, _evidence(pipeline, repository)))
    action = rerun_action(pipeline, repository, WHY, _evidence(pipeline, repository), "")
    objection = RerunPipeline(client).precondition(action)
    if objection:
        return Proposal(f"#{pipeline.build_number} of {repository} is not run again: {objection}.")
    return _told(request, action)


def _pipeline(client: BitbucketClient, request: Request, *, running: bool) -> Pipeline | None:
    """The build that was named, else the newest that fits."""
    if request.build:
        return client.pipeline(request.repository, request.build)
    branch = branch_of(request.understood.subjects) or None
    found = client.pipelines(request.repository, branch=branch, limit=30)
    return next((one for one in found if (one.state.is_running if running else one.failed)), None)


def _wish(request: Request) -> str:
    """The words that say what to do: the question's own, or those of the wish that it corrects ("no, payments")."""
    said = request.question
    if any(verb.search(said) for verb in VERBS) or guess(plain(said)).name == "act" or not request.conversation:
        return said
    return next((turn.question for turn in reversed(request.conversation.turns) if turn.intent == "act"), said)


def _about_workload(request: Request, workload: Subject, wish: str) -> Proposal:
    scale = SCALE.search(wish)
    kind = "scale_workload" if scale else "restart_workload"
    parameters = {"replicas": int(scale[1])} if scale else {}
    # Asked again within the hour is the same wish; tomorrow it is a new one.
    key = f"{kind}:{workload.key}:{parameters}:{request.now:%Y-%m-%dT%H}"
    return _told(
        request,
        Action(kind=kind, target=workload, parameters=parameters, reason=WHY, idempotency_key=key),
    )


def _evidence(pipeline: Pipeline, repository: str) -> tuple[Evidence, ...]:
    state = pipeline.state.result or pipeline.state.name
    at = pipeline.completed_on or pipeline.created_on
    return (
        Evidence(
            source="bitbucket pipelines",
            text=f"{repository} #{pipeline.build_number}: {state}",
            observed_at=at,
            link=pipeline.url,
        ),
    )


def _told(request: Request, action: Action) -> Proposal:
    context = request.context
    record = Execution(context.engine, context.settings, context.clock, context.uptime).propose(action)
    note = f" ({record.note})" if record.note else ""
    how = f" Approve it with `crew actions approve {record.id}`." if record.state == "waiting" else ""
    target = f"{action.target.scope} {action.target.name}"
    return Proposal(f"Action {record.id}, {action.kind} of {target}: {record.state.value}{note}.{how}", record)


def fact_of(proposal: Proposal, request: Request) -> Fact:
    """The proposal as evidence, first of all."""
    return Fact("actions", proposal.text, request.now, weight=20)
