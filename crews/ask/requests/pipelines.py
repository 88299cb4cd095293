"""Wishes about builds: run one again, stop one."""

from __future__ import annotations

import re

from crews.ask.gather.collector import Request
from crews.ask.requests.proposal import WHY, Proposal, nothing, proposed, unclear
from opscrew.answer.understand.name_places import is_ordinary
from opscrew.answer.understand.subjects import branch_of
from opscrew.ci.rerun.proposal import rerun_action
from opscrew.ci.rerun.stop import stop_action
from opscrew.model.evidence import Evidence
from tools.bitbucket.client import BitbucketClient
from tools.bitbucket.records import Pipeline

ON_BRANCH = re.compile(r"\b(?:on|branch) (?:the )?(?:branch )?(?P<branch>[\w./-]*\w)", re.IGNORECASE)
SAYS_OBJECT = re.compile(
    r"(?<![\w-])(?:deployment|statefulset|daemonset|workload|pod|replica|namespace|volume|cluster)s?(?![\w-])",
    re.IGNORECASE,
)
"""Words that say that no build is meant."""
TAKES_BACK = re.compile(r"\b(?:stop|cancel|abort|kill)(?: (?:it|that|this))?\W*$", re.IGNORECASE)
"""After a wish it may mean the wish, and what runs may be another build."""
STATES_TO_RUN = ("failed", "failing", "broken", "last", "latest", "newest")
STATES_TO_STOP = ("running", "last", "latest", "newest")
UNNAMED = 'name a repository or a workload that I know, for example "re-run shop #42"'


def run_again(request: Request, wish: str) -> Proposal:
    """The build that was named, else the newest that failed."""
    return _about_pipeline(request, wish, stop=False)


def stop(request: Request, wish: str) -> Proposal:
    """The build that was named, else the newest that runs."""
    turns = request.conversation.turns if request.conversation else ()
    if TAKES_BACK.search(request.question) and turns and turns[-1].intent == "act":
        return nothing("name the build to stop; `crew actions deny` takes back an action that waits")
    return _about_pipeline(request, wish, stop=True)


def _about_pipeline(request: Request, wish: str, *, stop: bool) -> Proposal:
    client = request.context.systems.bitbucket
    if client is None:
        return nothing("Bitbucket is not configured")
    if SAYS_OBJECT.search(wish):
        return nothing("only builds can be stopped and run again; a workload can be restarted")
    if not request.repository or request.understood.assumed:
        # A misspelt name is good enough to read by, never to act on.
        return nothing(UNNAMED)
    names = {request.repository, client.workspace, _branch(request), *(STATES_TO_STOP if stop else STATES_TO_RUN)} - {
        ""
    }
    if against := unclear(request, wish, names, _number(request)):
        return nothing(against)
    pipeline = _pipeline(client, request, running=stop)
    if pipeline is None:
        branch = _branch(request)
        where = f"{request.repository} on {branch}" if branch else request.repository
        return nothing(f"I see no {'running' if stop else 'failed'} pipeline of {where}")
    repository = f"{client.workspace}/{request.repository}"
    evidence = _evidence(pipeline, repository)
    if not stop:
        return proposed(request, rerun_action(pipeline, repository, WHY, evidence, ""))
    if not pipeline.state.is_running:
        return nothing(f"#{pipeline.build_number} does not run")
    return proposed(request, stop_action(pipeline, repository, WHY, evidence))


def _pipeline(client: BitbucketClient, request: Request, *, running: bool) -> Pipeline | None:
    if request.build:
        return client.pipeline(request.repository, request.build)
    found = client.pipelines(request.repository, branch=_branch(request) or None, limit=30)
    return next((one for one in found if (one.state.is_running if running else one.failed)), None)


def _number(request: Request) -> re.Pattern[str] | None:
    """How the number of the build is said, or its place beside the one that was spoken of."""
    if not request.build:
        return None
    beside = r"(?:the )?(?:one|build|run|pipeline) (?:right |just )?(?:before|after)\b"
    next_to = r"(?:the )?(?:next|previous|preceding|following) (?:one|build|run|pipeline)\b"
    return re.compile(rf"(?:#|(?<![\w.-])){request.build}(?![\w%-]|\.\w)|\b{beside}|\b{next_to}", re.IGNORECASE)


def _branch(request: Request) -> str:
    """The one that is named, also where no record knows it: a build of another branch is not what was asked for."""
    said = ON_BRANCH.search(request.question)
    if known := branch_of(request.understood.subjects):
        return known
    return said["branch"] if said and not is_ordinary(said["branch"].lower()) else ""


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
