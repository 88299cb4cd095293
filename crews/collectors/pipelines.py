"""What Bitbucket says of pipelines, asked now: which ran, how they ended, and why one failed."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from concurrent.futures import Future, wait
from datetime import timedelta

from crews.collectors.collector import Request
from crews.pipeline_failures import judge_failure
from opscrew.answer.packet import Fact
from opscrew.answer.subjects import branch_of
from opscrew.ci.failures import Failure
from opscrew.ci.poll_states import load_states
from tools.bitbucket.client import BitbucketClient
from tools.bitbucket.failures import Refused
from tools.bitbucket.records import Pipeline
from tools.errors import TemporaryError, UpstreamError

MOST_REPOSITORIES = 8
"""Asked where the question names none: those where something happened last. Each costs a request of the budget."""

MOST_BUILDS = 300
"""Read of one repository, newest first: three pages. A time that lies behind so many is said to be out of reach."""

COUNTS_WEIGHT = 9.0
"""Of the line that counts the builds of a repository."""

EXPLAINED = 2
"""Failed builds whose logs are read for one answer."""

SECONDS_FOR_MANY = 2.5


def collect(request: Request) -> Sequence[Fact]:
    """One build, the builds of the named repositories, or those of the repositories that were busy last."""
    client = request.context.systems.bitbucket
    assert client is not None, "only asked where Bitbucket is configured"
    if request.repository and request.build:
        return _one_build(client, request)
    if len(request.repositories) == 1:
        return _one_repository(client, request, request.repository, explained=EXPLAINED)
    if request.repositories:
        return _side_by_side(client, request, request.repositories[:MOST_REPOSITORIES], explained=1)
    return _busiest_together(client, request)


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


def _one_repository(client: BitbucketClient, request: Request, repo: str, *, explained: int) -> list[Fact]:
    understood = request.understood
    branch = branch_of(understood.subjects) or None
    wanted = understood.range.builds if understood.range else 0
    read = client.pipelines(
        repo, branch=branch, since=None if wanted else request.start, limit=min(wanted or MOST_BUILDS, MOST_BUILDS)
    )
    found = tuple(one for one in read if wanted or one.created_on <= request.end)
    where = f"{client.workspace}/{repo}" + (f" branch {branch}" if branch else "")
    facts = []
    if not wanted and len(read) == MOST_BUILDS and request.start is not None:
        facts.append(_out_of_reach(where, read, request))
    elif not found and request.start is not None and not (understood.range and not understood.range.is_now):
        found = client.pipelines(repo, branch=branch, limit=3)
    if found or not facts:
        facts.append(Fact("bitbucket pipelines", f"{where}: {_counts(found)}", request.now, weight=COUNTS_WEIGHT))
    ranked = sorted(found, key=lambda one: (_wanted_first(one, request), -one.build_number))
    facts += [_line(one, request, client.workspace, repo, 8.5 - 0.1 * place) for place, one in enumerate(ranked[:8])]
    if understood.intent in ("failure_cause", "failures", "act", "changes"):
        failed = [one for one in ranked if one.failed]
        for one in failed[:explained]:
            facts += _explained(client, request, repo, one)
    return facts


def _out_of_reach(where: str, read: Sequence[Pipeline], request: Request) -> Fact:
    """Older builds were not read, so "0 builds" or "5 failed" would be a guess."""
    oldest = request.when(read[-1].created_on)
    text = f"of {where} I read the newest {len(read)} builds, back to {oldest}; what lies before is not counted"
    return Fact("bitbucket pipelines", text, request.now, weight=COUNTS_WEIGHT + 0.1)


def _busiest_together(client: BitbucketClient, request: Request) -> list[Fact]:
    """Where no repository is named; one line counts the builds of all."""
    facts = _side_by_side(client, request, _busiest(request, client), explained=0)
    counted = [fact for fact in facts if fact.weight == COUNTS_WEIGHT]
    return [_total(counted, len(counted), request), *(fact for fact in facts if fact.weight != COUNTS_WEIGHT)]


def _side_by_side(client: BitbucketClient, request: Request, repos: Sequence[str], *, explained: int) -> list[Fact]:
    """All at once, since each answer takes a tenth of a second or more; what comes too late is left out and said."""
    answers: dict[str, Future[list[Fact]]] = {}
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
    facts = [
        fact for answer in answers.values() if answer in done and not answer.exception() for fact in answer.result()
    ]
    missing = [repo for repo, answer in answers.items() if answer in late or answer.exception()]
    if missing:
        facts.append(
            Fact("bitbucket pipelines", f"no answer in time about {', '.join(missing)}", request.now, weight=3)
        )
    return facts


def _total(answered: Sequence[Fact], repositories: int, request: Request) -> Fact:
    """One line for all repositories together, in place of one for each."""
    counts = dict.fromkeys(("builds", "passed", "failed", "stopped", "running"), 0)
    for fact in answered:
        if fact.weight == COUNTS_WEIGHT:
            for number, word in re.findall(r"(\d+) (builds?|passed|failed|stopped|running)", fact.text):
                counts["builds" if word == "build" else word] += int(number)
    told = ", ".join(f"{count} {word}" for word, count in counts.items() if count or word == "builds")
    since = f" since {request.when(request.start)}" if request.start else ""
    return Fact("bitbucket pipelines", f"{repositories} repositories{since}: {told}", request.now, weight=9.5)


def _fill(answer: Future[list[Fact]], client: BitbucketClient, request: Request, repo: str, explained: int) -> None:
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


def _wanted_first(pipeline: Pipeline, request: Request) -> int:
    """Failures first where the question is about failures; else in order of time."""
    wants_failures = request.understood.intent in ("failure_cause", "failures")
    return 0 if not wants_failures or pipeline.failed else 1
