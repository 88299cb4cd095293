"""The names that a question may mean: repositories, branches and objects of the cluster that records know of."""

from __future__ import annotations

import re
from concurrent.futures import TimeoutError as FutureTimeout

from crews.background import in_background
from crews.context import CrewContext
from opscrew.ci.poll_states import load_states
from opscrew.findings.ledger import Ledger
from opscrew.model.subject import Subject
from tools.errors import UpstreamError

ASK_SECONDS = 1.2
"""For the one request that is made where no crew has looked yet."""

MOST_FINDINGS = 2_000

OWNED = re.compile(r"(?P<owner>[a-z].*?)(?:-(?=[a-z0-9]*\d)[a-z0-9]{6,10})?-(?:\d{1,3}|[a-z0-9]{5})")
"""The name of a pod: its workload's, a hash of the template, and a number or five letters."""


def known_names(context: CrewContext) -> tuple[Subject, ...]:
    """Each once. From records alone, unless they know no repository: then Bitbucket is asked, shortly."""
    found: dict[str, Subject] = {}
    for one in (*_repositories(context), *_clusters(context), *_of_findings(context)):
        found.setdefault(one.key, one)
    return tuple(found.values())


def _repositories(context: CrewContext) -> list[Subject]:
    part = context.settings.bitbucket
    if part is None:
        return []
    slugs = list(load_states(context.engine, part.workspace)) or _asked(context)
    return [Subject(system="bitbucket", kind="repository", scope=part.workspace, name=slug) for slug in slugs]


def _asked(context: CrewContext) -> list[str]:
    client = context.systems.bitbucket
    if client is None:
        return []
    answer = in_background("known repositories", lambda: [one.slug for one in client.repositories(limit=100)])
    try:
        return answer.result(ASK_SECONDS)
    except (FutureTimeout, UpstreamError):  # the collectors ask again and say what is wrong
        return []


def _clusters(context: CrewContext) -> list[Subject]:
    return [Subject(system="kubernetes", kind="cluster", name=part.name) for part in context.settings.kubernetes]


def owner_of(subject: Subject) -> Subject | None:
    """People say "cart" and not "cart-7d9f8b6c5-x2x9z". Its kind is not known from the name alone."""
    match = OWNED.fullmatch(subject.name) if subject.kind == "Pod" else None
    if match is None:
        return None
    return Subject(system=subject.system, kind="workload", scope=subject.scope, name=match["owner"])


def _of_findings(context: CrewContext) -> list[Subject]:
    """What findings are about, and the places they name."""
    found: list[Subject] = []
    for entry in Ledger(context.engine, context.clock).list(limit=MOST_FINDINGS):
        subject = entry.finding.subject
        if subject.system == "bitbucket":
            workspace, _, slug = subject.scope.partition("/")
            if slug:
                found.append(Subject(system="bitbucket", kind="repository", scope=workspace, name=slug))
            if subject.kind == "branch":
                found.append(Subject(system="bitbucket", kind="branch", scope=subject.scope, name=subject.name))
            continue
        if subject.kind not in ("workspace",):
            found.append(subject.model_copy(update={"url": ""}))
        if owner := owner_of(subject):
            found.append(owner)
        cluster, _, namespace = subject.scope.partition("/")
        if subject.system == "kubernetes" and namespace:
            found.append(Subject(system="kubernetes", kind="namespace", scope=cluster, name=namespace))
    return found
