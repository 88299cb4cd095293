"""What Bitbucket says of pipelines, asked now: which ran, how they ended, and why one failed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import timedelta

from crews.ask.gather.collector import Request
from crews.ci_watch.judge_pipeline import judge_failure
from opscrew.answer.packet import Fact
from opscrew.answer.understand.subjects import branch_of
from opscrew.ci.judge.failures import Failure
from opscrew.ci.watch.poll_states import load_states
from tools.bitbucket.client import BitbucketClient
from tools.bitbucket.failures import Refused
from tools.bitbucket.records import Pipeline
from tools.errors import TemporaryError, UpstreamError

MOST_REPOSITORIES = 8
"""Asked where the question names none: those where something happened last. Each costs a request of the budget."""

MOST_BUILDS = 300
"""Read of one repository, newest first: three pages. A time that lies behind so many is said to be out of reach."""

MOST_LINES = 8
COUNTS_WEIGHT = 9.0
"""Of the line that counts the builds of a repository."""

BACKGROUND = 4.5
"""Of builds that do not answer the question."""

FOR_FAILURES = ("failure_cause", "failures")

EXPLAINED = 2
"""Failed builds whose logs are read for one answer."""

SECONDS_FOR_MANY = 2.5


@dataclass(frozen=True)
class Builds:
    """What was read of one repository: ``seen`` are its builds of the time that was asked about."""

    seen: Sequence[Pipeline]
    counted: Fact | None
    facts: Sequence[Fact]

    @property
    def all_facts(self) -> list[Fact]:
        return [*([self.counted] if self.counted else []), *self.facts]


def collect(request: Request) -> Sequence[Fact]:
    """One build, the builds of the named repositories, or those of the repositories that were busy last."""
    client = request.context.systems.bitbucket
    assert client is not None, "only asked where Bitbucket is configured"
    if request.repository and request.build:
        return _one_build(client, request)
    if len(request.repositories) == 1:
        return _one_repository(client, request, request.repository, explained=EXPLAINED).all_facts
    if request.repositories:
        read, missing = _side_by_side(client, request, request.repositories[:MOST_REPOSITORIES], explained=1)
        return [*(fact for one in read for fact in one.all_facts), *missing]
    if request.understood.intent == "act":
        return []  # nothing is done to repositories that nobody named
    read, missing = _side_by_side(client, request, _busiest(request, client), explained=0)
    return [_total(read, request), *(fact for one in read for fact in one.facts), *missing]


def _one_build(client: BitbucketClient, request: Request) -> list[Fact]:
    try:
        pipeline = client.pipeline(request.repository, request.build)
    except Refused as refused:
        if refused.status != 404:
            raise
        return [_absent(client, request)]
    facts = [_line(pipeline, request, client.workspace, request.repository, 10)]
    if pipeline.failed:
        facts += _explained(client, request, request.repository, pipeline)
    elif pipeline.state.is_running:
        steps = client.steps(request.repository, pipeline.uuid)
        running = ", ".join(step.name for step in steps if step.state.is_running)
        facts.append(_fact(pipeline, f"#{pipeline.build_number} runs step {running or 'none yet'}", 9))
    return facts


def _absent(client: BitbucketClient, request: Request) -> Fact:
    """A build that does not exist is an answer, not a silent system. Raises where the repository does not answer."""
    newest = client.pipelines(request.repository, limit=1)
    last = f"; its newest is #{newest[0].build_number}" if newest else "; it has none at all"
    text = f"{client.workspace}/{request.repository} has no build #{request.build}{last}"
    return Fact("bitbucket pipelines", text, request.now, weight=10)


def _one_repository(client: BitbucketClient, request: Request, repo: str, *, explained: int) -> Builds:
    understood = request.understood
    branch = branch_of(understood.subjects) or None
    wanted = understood.range.builds if understood.range else 0
    read = client.pipelines(
        repo, branch=branch, since=None if wanted else request.start, limit=min(wanted or MOST_BUILDS, MOST_BUILDS)
    )
    found = tuple(one for one in read if wanted or one.created_on <= request.end)
    where = f"{client.workspace}/{repo}" + (f" branch {branch}" if branch else "")
    facts: list[Fact] = []
    if not wanted and len(read) == MOST_BUILDS and request.start is not None:
        facts.append(_out_of_reach(where, read, request))
    elif not found and request.start is not None and not (understood.range and not understood.range.is_now):
        found = client.pipelines(repo, branch=branch, limit=3)
    counted = None
    if found or not facts:
        weight = COUNTS_WEIGHT if any(_answers(one, request) for one in found) else BACKGROUND
        counted = Fact("bitbucket pipelines", f"{where}: {_counts(found)}", request.now, weight=weight)
    ranked = sorted(found, key=lambda one: (not _answers(one, request), -one.build_number))
    for place, one in enumerate(ranked[:MOST_LINES]):
        weight = 8.5 if _answers(one, request) else BACKGROUND
        facts.append(_line(one, request, client.workspace, repo, weight - 0.1 * place))
    if understood.intent in (*FOR_FAILURES, "act"):
        for one in [one for one in ranked if one.failed][:explained]:
            facts += _explained(client, request, repo, one)
    return Builds(found, counted, facts)


def _out_of_reach(where: str, read: Sequence[Pipeline], request: Request) -> Fact:
    """Older builds were not read, so "0 builds" or "5 failed" would be a guess."""
    oldest = request.when(read[-1].created_on)
    text = f"of {where} I read the newest {len(read)} builds, back to {oldest}; what lies before is not counted"
    return Fact("bitbucket pipelines", text, request.now, weight=COUNTS_WEIGHT + 0.1)


def _side_by_side(
    client: BitbucketClient, request: Request, repos: Sequence[str], *, explained: int
) -> tuple[list[Builds], list[Fact]]:
    """All at once, since each answer takes a tenth of a second or more; what comes too late is left out and said."""
    answers: dict[str, Future[Builds]] = {}
    for repo in repos:
        answers[repo] = Future()
        work = (answers[repo], client, request, repo, explained)
        threading.Thread(target=_fill, args=work, daemon=True).start()
    done, late = wait(answers.values(), SECONDS_FOR_MANY)
    problems = [problem for one in done if (problem := one.exception())]
    if len(problems) + len(late) == len(answers) and answers:
        # "0 repositories, 0 builds" would read as if nothing had run.
        raise (
            problems[0]
            if problems
            else TemporaryError(f"no answer within {SECONDS_FOR_MANY:.1f} s", system="bitbucket")
        )
    read = [answer.result() for answer in answers.values() if answer in done and not answer.exception()]
    missing = [repo for repo, answer in answers.items() if answer in late or answer.exception()]
    text = f"no answer in time about {', '.join(missing)}"
    return read, [Fact("bitbucket pipelines", text, request.now, weight=3)] if missing else []


def _total(read: Sequence[Builds], request: Request) -> Fact:
    """One line for all repositories together, in place of one for each."""
    seen = [pipeline for one in read for pipeline in one.seen]
    when = f" since {request.when(request.start)}" if request.start else ""
    if request.start and request.end < request.now:
        when = f" from {request.when(request.start)} to {request.when(request.end)}"
    weight = 9.5 if any(_answers(one, request) for one in seen) else BACKGROUND
    text = f"{len(read)} repositor{'y' if len(read) == 1 else 'ies'}{when}: {_counts(seen)}"
    return Fact("bitbucket pipelines", text, request.now, weight=weight)


def _fill(answer: Future[Builds], client: BitbucketClient, request: Request, repo: str, explained: int) -> None:
    try:
        answer.set_result(_one_repository(client, request, repo, explained=explained))
    except UpstreamError as problem:
        answer.set_exception(problem)
    except Exception as problem:  # noqa: BLE001  a thread of its own: what it raises belongs to the one who waits
        answer.set_exception(problem)


def _busiest(request: Request, client: BitbucketClient) -> list[str]:
    """By the latest sign of life: what the watch knows of it, else Bitbucket's own order."""
    states = load_states(request.context.engine, client.workspace).values()
    if not states:
        return [one.slug for one in client.repositories(limit=MOST_REPOSITORIES)][:MOST_REPOSITORIES]
    long_ago = request.now - timedelta(days=3650)
    ordered = sorted(states, key=lambda one: one.active_at or one.updated_on or long_ago, reverse=True)
    return [one.repository for one in ordered[:MOST_REPOSITORIES]]


def _explained(client: BitbucketClient, request: Request, repo: str, pipeline: Pipeline) -> list[Fact]:
    failure: Failure = judge_failure(client, repo, pipeline)
    decided = failure.deciding
    kind = f", recognised as {failure.signature}" if failure.signature else ""
    verdict = VERDICTS[failure.verdict.value]
    text = f"#{pipeline.build_number} of {failure.repository} failed in step {decided.name}{kind}: {verdict}"
    facts = [_fact(pipeline, text, 9.5)]
    chosen = decided.classification.lines or decided.explanation.lines
    for place, line in enumerate([one for one in (*chosen, *decided.explanation.lines) if one.number > 0][:6]):
        source = f"log {failure.repository}#{pipeline.build_number} step {decided.name} line {line.number}"
        facts.append(
            Fact(
                source,
                line.text,
                pipeline.completed_on or pipeline.created_on,
                pipeline.url,
                (9.3 if place == 0 else 8) - 0.2 * place,
            )
        )
    return facts


VERDICTS = {
    "transient": "a passing fault, which a re-run usually clears",
    "genuine": "its own code or definition is at fault, a re-run would fail again",
    "infra_persistent": "a lasting fault of the infrastructure, a re-run does not help until it is mended",
    "unknown": "for a reason that no known pattern explains",
}
"""Each verdict in words."""


def _line(pipeline: Pipeline, request: Request, workspace: str, repo: str, weight: float) -> Fact:
    state, target = pipeline.state, pipeline.target
    word = (state.result or state.stage or state.name or "unknown").lower().replace("_", " ")
    where = (
        f"pull request {target.pull_request_id}" if target.is_pull_request else (target.ref_name or target.commit[:7])
    )
    parts = [f"#{pipeline.build_number} of {workspace}/{repo} on {where}: {word}"]
    moment = pipeline.completed_on or pipeline.created_on
    parts.append(f"{'ended' if pipeline.completed_on else 'started'} at {request.when(moment)}")
    if pipeline.completed_on:
        seconds = int((pipeline.completed_on - pipeline.created_on).total_seconds())
        parts.append(f"took {seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"took {seconds} s")
    if target.commit:
        message = target.commit_message.strip().splitlines()[:1]
        parts.append(f"commit {target.commit[:7]}" + (f' "{message[0][:80]}"' if message else ""))
    if pipeline.creator and pipeline.creator.name:
        parts.append(f"by {pipeline.creator.name}")
    return _fact(pipeline, ", ".join(parts), weight)


def _fact(pipeline: Pipeline, text: str, weight: float) -> Fact:
    return Fact("bitbucket pipelines", text, pipeline.completed_on or pipeline.created_on, pipeline.url, weight)


def _counts(found: Sequence[Pipeline]) -> str:
    counts = {
        "passed": sum(one.successful for one in found),
        "failed": sum(one.failed for one in found),
        "stopped": sum(one.stopped for one in found),
        "running": sum(one.state.is_running for one in found),
    }
    told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    return f"{len(found)} build{'' if len(found) == 1 else 's'}" + (f", {told}" if told else "")


def _answers(pipeline: Pipeline, request: Request) -> bool:
    """To "what failed" a build that passed is no answer."""
    return pipeline.failed or request.understood.intent not in FOR_FAILURES
