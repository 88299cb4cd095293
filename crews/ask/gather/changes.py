"""What changed in a repository: the commits of its latest builds, who made them, and what was deployed."""

from __future__ import annotations

from collections.abc import Sequence

from crews.ask.gather.collector import Request
from opscrew.answer.packet import Fact
from tools.bitbucket.client import BitbucketClient
from tools.bitbucket.records import Pipeline

MOST_COMMITS = 10


def collect(request: Request) -> Sequence[Fact]:
    """Nothing where no repository is named: the builds tell the commits then."""
    client = request.context.systems.bitbucket
    assert client is not None, "only asked where Bitbucket is configured"
    if not request.repository:
        return []
    newest, older = _span(client, request)
    facts: list[Fact] = []
    if newest and older and newest.target.commit != older.target.commit:
        commits = client.commits_between(
            request.repository, include=newest.target.commit, exclude=older.target.commit, limit=MOST_COMMITS
        )
        counted = f"{len(commits)} commit{'' if len(commits) == 1 else 's'}"
        facts.append(
            Fact(
                "bitbucket commits",
                f"{counted} between #{older.build_number} and #{newest.build_number}",
                request.now,
                weight=9,
            )
        )
        for place, one in enumerate(commits):
            who = f" by {one.author.partition(' <')[0]}" if one.author else ""
            first = (one.message.strip().splitlines() or ["(no message)"])[0][:120]
            text = f"commit {one.hash[:7]}{who}: {first}"
            facts.append(Fact("bitbucket commits", text, one.date or request.now, weight=8.8 - 0.1 * place))
    for place, deployed in enumerate(client.deployments(request.repository, limit=5)):
        if deployed.started_on and (request.start is None or deployed.started_on >= request.start):
            text = (
                f"deployment to {deployed.environment or 'an environment'}: {deployed.status or deployed.state}".lower()
            )
            commit = f", commit {deployed.commit[:7]}" if deployed.commit else ""
            facts.append(Fact("bitbucket deployments", text + commit, deployed.started_on, weight=7 - 0.1 * place))
    return facts


def _span(client: BitbucketClient, request: Request) -> tuple[Pipeline | None, Pipeline | None]:
    """The build that was asked about, or the newest one, and the last that passed on the same target before it."""
    found = client.pipelines(request.repository, limit=50)
    newest = next((one for one in found if one.build_number == request.build), None) if request.build else None
    newest = newest or next(iter(found), None)
    if newest is None:
        return None, None
    before = [one for one in found if one.target.key == newest.target.key and one.build_number < newest.build_number]
    return newest, next((one for one in before if one.successful), before[-1] if before else None)
