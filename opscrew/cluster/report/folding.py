"""Turns many problems into few: the same failure of sibling pods into one, and symptoms under their cause.

Two steps. *Gathering*: pods of one workload that fail in the same way are one problem of that workload, since pods come
and go and the workload is what people know. *Folding*: a symptom (``folding.yaml``) goes under the problem that causes
it, found along owner chains and along the references its check named.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from opscrew.cluster.problem import Problem
from opscrew.cluster.report.causes import Search, Symptom, suspects
from opscrew.cluster.snapshot import Key, Snapshot
from opscrew.findings.codes import codes
from opscrew.model.finding import Severity
from opscrew.strict_yaml import read_strictly
from tools.kubernetes.fields import text
from tools.kubernetes.records import Resource

FOLDING_FILE = Path(__file__).with_name("folding.yaml")
_BY_NODE = frozenset({"named", "nodes", "lost_nodes"})
"""Places that hold the node of a pod."""


@dataclass
class Folded:
    """A cause with everything that suffers from it. ``resource`` is what the finding is about."""

    problem: Problem
    resource: Resource
    members: list[Problem] = field(default_factory=list)
    symptoms: list[Problem] = field(default_factory=list)
    workloads: list[Resource] = field(default_factory=list)  # of the symptoms
    under: list[Folded] = field(default_factory=list)  # the symptoms as they would stand without their cause

    @property
    def involved(self) -> list[Resource]:
        """What it is about and what was found of it, symptoms left out; some may be there twice."""
        return [self.resource, *(member.resource for member in self.members)]

    @property
    def affected(self) -> list[Resource]:
        """All resources involved besides ``resource``, each once: workloads, what was found, what may follow."""
        problems = (*self.members, *self.symptoms)
        resources = [problem.resource for problem in problems]
        expected = [resource for problem in problems for resource in problem.affects]
        found = {resource.key: resource for resource in (*self.workloads, *resources, *expected)}
        found.pop(self.resource.key, None)
        return list(found.values())


def fold(snapshot: Snapshot, problems: Iterable[Problem]) -> list[Folded]:
    """Causes only, in the order of the problems. Nothing is lost: each problem is a cause, a member or a symptom."""
    groups = _gather(snapshot, problems)
    search = Search(snapshot, {one.key: one for group in groups for one in group.involved}.values())
    by_resource: dict[Key, list[Folded]] = defaultdict(list)
    for group in groups:
        for key in {one.key for one in group.involved}:
            by_resource[key].append(group)
    causes = [_cause_of(search, group, by_resource) for group in groups]
    position = {id(group): index for index, group in enumerate(groups)}
    parents = [position[id(cause)] if cause is not None else None for cause in causes]
    kept = []
    for index, group in enumerate(groups):
        root = groups[_root(index, parents)]
        if root is group:
            kept.append(group)
        else:
            root.symptoms.extend(group.members)
            root.workloads.append(group.resource)
            root.under.append(group)
    return kept


def _gather(snapshot: Snapshot, problems: Iterable[Problem]) -> list[Folded]:
    """Pods that a node in trouble explains are a group apart: the same failure elsewhere has another cause."""
    found = list(problems)
    troubled = {one.resource.name for one in found if one.resource.kind == "Node" and not _is_hint(one)}
    groups: dict[tuple[object, ...], Folded] = {}
    for problem in found:
        resource = snapshot.workload_of(problem.resource)
        reason = problem.reason if problem.code == "POD_FAILED" else ""
        node = text(problem.resource.spec, "nodeName") if problem.resource.kind == "Pod" else ""
        explained = node in troubled and not _BY_NODE.isdisjoint(folding().get(problem.code, ()))
        identity = (resource.key, problem.code, problem.aspect, reason, node if explained else "")
        group = groups.setdefault(identity, Folded(problem, resource))
        group.members.append(problem)
    return list(groups.values())


def _cause_of(search: Search, group: Folded, by_resource: Mapping[Key, list[Folded]]) -> Folded | None:
    """The gravest other problem in the places where this symptom's cause may be."""
    places = folding().get(group.problem.code)
    if places is None:
        return None
    for key in suspects(search, Symptom(group.resource, group.members), places):
        for other in by_resource.get(key, ()):
            if other is not group and _may_cause(other, group):
                return other
    return None


def _may_cause(other: Folded, symptom: Folded) -> bool:
    """Hints are no causes, and one on the same resource is one only when it does more than count what is short."""
    if _is_hint(other.problem):
        return False
    if other.resource.key != symptom.resource.key:
        return True
    return not _is_summary(other.problem.code)


def _is_hint(problem: Problem) -> bool:
    return (problem.severity or codes()[problem.code].severity) is Severity.INFO


def _is_summary(code: str) -> bool:
    """Codes that only count what is missing, and so never explain another problem of their own resource."""
    return "own" in folding().get(code, ())


def _root(start: int, parents: Sequence[int | None]) -> int:
    """The end of the chain of causes. In a circle everyone blames everyone: then its first member stands for all."""
    path = [start]
    while (parent := parents[path[-1]]) is not None:
        if parent in path:
            return min(path[path.index(parent) :])
        path.append(parent)
    return path[-1]


@cache
def folding() -> Mapping[str, tuple[str, ...]]:
    """Places by symptom code."""
    loaded = read_strictly(FOLDING_FILE)[0]
    return {code: tuple(places) for code, places in loaded.items()}
