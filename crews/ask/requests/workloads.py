"""Wishes about workloads: restart one, change its number of replicas, roll it back."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from crews.ask.gather.collector import Request
from crews.ask.live_objects import Live
from crews.ask.requests.objects import is_namespace, named_objects, names_of, told
from crews.ask.requests.proposal import WHY, Proposal, key_of, nothing, proposed, unclear
from opscrew.model.action import Action
from tools.kubernetes.changes import WORKLOADS, revisions

SAYS_WORKLOAD = re.compile(r"\b(?:deployment|statefulset|daemonset|workload|pods?|service|app)s?\b", re.IGNORECASE)
SAYS_KIND = re.compile(r"\b(?:deployment|statefulset|daemonset|workload)\b", re.IGNORECASE)
NAMES_A_BUILD = re.compile(r"#\d+|(?<![\w-])(?:build|pipeline|run|job|ci)s?(?![\w-])", re.IGNORECASE)
"""Words that say that no object of a cluster is meant."""
REPLICAS = re.compile(
    r"\b(?:to|=) ?(\d{1,3})\b(?! ?%)|\b(\d{1,3}) (?:replicas?|pods?|instances?|copies)\b", re.IGNORECASE
)
REVISION = re.compile(r"\b(?:to )?(?:the )?revision (?:no\.? |number )?(\d{1,6})\b", re.IGNORECASE)
TAKES_BACK = re.compile(r"\b(?:undo|revert) (?:it|that|this)\b", re.IGNORECASE)
"""Rather means what was just said or done than the workload."""
UNNAMED = 'name a workload of a cluster, for example "restart cart in shop"'

Parameters = Mapping[str, int] | str
"""What the action needs besides its target, or why it cannot be had, in words."""


def restart(request: Request, wish: str) -> Proposal | None:
    """None where a build is meant: "restart #42"."""
    is_build = NAMES_A_BUILD.search(wish) and not SAYS_KIND.search(wish)
    if not request.context.settings.kubernetes or is_build:
        return None
    found = named_objects(request, wish, tuple(WORKLOADS.values()))
    if (slug := request.repository) and not SAYS_WORKLOAD.search(wish):
        is_place = not found and is_namespace(request, slug, tuple(WORKLOADS.values()))
        if not found and not is_place:
            return None
        if is_place or slug in {one.resource.name for one in found}:
            also = told(found) or "a namespace of a cluster"
            return nothing(f'{slug} is a repository and {also}; say "restart the workload {slug}" or "re-run {slug}"')
    return _of_one(request, wish, found, "restart_workload", lambda one: {})


def scale(request: Request, wish: str) -> Proposal:
    """To a number that the wish names."""
    match = REPLICAS.search(wish)
    if match is None:
        return nothing('say to how many replicas, for example "scale cart to 3"')
    count = int(match[1] or match[2])
    return _about(request, wish, "scale_workload", lambda one: {"replicas": count}, REPLICAS)


def roll_back(request: Request, wish: str) -> Proposal:
    """To the revision that the wish names, else to the one before."""
    if TAKES_BACK.search(request.question):
        return nothing("name the workload to roll back; `crew actions deny` takes back an action that waits")
    match = REVISION.search(wish)
    wanted = int(match[1]) if match else 0
    return _about(request, wish, "roll_back_workload", lambda one: _revision(request, one, wanted), REVISION)


def _revision(request: Request, one: Live, wanted: int) -> Parameters:
    client = request.context.systems.kubernetes(one.cluster)
    known = revisions(client, one.resource) if client else ()
    if wanted:
        return {"to_revision": wanted}
    if len(known) < 2:
        return f"the cluster remembers no earlier revision of {one.subject.name}"
    return {"to_revision": known[1].number}


def _about(
    request: Request,
    wish: str,
    kind: str,
    parameters: Callable[[Live], Parameters],
    amount: re.Pattern[str],
) -> Proposal:
    if not request.context.settings.kubernetes:
        return nothing("no cluster is configured")
    found = named_objects(request, wish, tuple(WORKLOADS.values()), amount)
    return _of_one(request, wish, found, kind, parameters, amount)


def _of_one(
    request: Request,
    wish: str,
    found: list[Live],
    kind: str,
    parameters: Callable[[Live], Parameters],
    amount: re.Pattern[str] | None = None,
) -> Proposal:
    if not found:
        return nothing(UNNAMED)
    if len(found) > 1:
        return nothing(f"several are named so: {told(found)}; say which namespace or cluster")
    if against := unclear(request, wish, names_of(request, found[0]), amount):
        return nothing(against)
    values = parameters(found[0])
    if isinstance(values, str):
        return nothing(values)
    target = found[0].subject
    key = key_of(request, kind, target.key, dict(values))
    return proposed(request, Action(kind=kind, target=target, parameters=dict(values), reason=WHY, idempotency_key=key))
