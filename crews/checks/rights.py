"""Checks that accounts may do what the policy lets them do: better told by the doctor than by a refused action."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from crews.checks.check import Check, Level, Result
from crews.runtime.systems import Systems
from opscrew.actions.catalog import catalog
from opscrew.settings import KubernetesSettings, Settings
from tools.bitbucket.scopes import allows
from tools.kubernetes.client import KubernetesClient

WRITE_PIPELINES = "pipeline:write"
"""The scope for starting and stopping pipelines."""
OF_BITBUCKET = ("rerun_pipeline", "stop_pipeline")

WORKLOADS = ("deployments", "statefulsets", "daemonsets")
OF_KUBERNETES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "restart_workload": tuple(("patch", "apps", one) for one in WORKLOADS),
    "roll_back_workload": tuple(("patch", "apps", one) for one in WORKLOADS),
    "scale_workload": (("patch", "apps", "deployments/scale"), ("patch", "apps", "statefulsets/scale")),
    "delete_stuck_pod": (("delete", "", "pods"),),
    "expand_pvc": (("patch", "", "persistentvolumeclaims"),),
}
"""Verb, API group and resource that each kind of action needs; the roles in deploy/kubernetes/ give the same."""

MOST_NAMESPACES = 10
"""Namespaces that are asked about one by one: each takes up to nine requests of a check that has ten seconds."""


def rights_checks(settings: Settings) -> tuple[Check, ...]:
    """One check for Bitbucket and one for each cluster, where something may be done at all."""
    found = []
    if settings.bitbucket and settings.bitbucket.token and _allowed(settings, OF_BITBUCKET):
        found.append(Check("bitbucket rights", _bitbucket))
    if _allowed(settings, OF_KUBERNETES):
        found += [_cluster_check(part) for part in settings.kubernetes]
    return tuple(found)


def _bitbucket(systems: Systems) -> Result:
    client = systems.bitbucket
    assert client is not None, "configured, as asked above"
    client.ping()
    kinds = _allowed(systems.settings, OF_BITBUCKET)
    scopes = client.granted_scopes
    if scopes is None:
        return Result(Level.OK, "Bitbucket does not say what these credentials may do; the first re-run will show it")
    if allows(scopes, WRITE_PIPELINES):
        return Result(Level.OK, f"the token may carry out {_listed(kinds)}")
    text = f"the policy allows {_listed(kinds)}, and the token lacks {WRITE_PIPELINES}"
    hint = f"It has {', '.join(sorted(scopes))}. Give it the right to write pipelines, or set these kinds to off."
    return Result(_level(systems.settings, kinds), text, hint)


def _cluster_check(part: KubernetesSettings) -> Check:
    def look(systems: Systems) -> Result:
        client = systems.kubernetes(part.name)
        assert client is not None, "configured, as asked above"
        places = _places(systems.settings, part)
        kinds = _allowed(systems.settings, OF_KUBERNETES)
        lacking = {kind: missing for kind in kinds if (missing := _missing(client, kind, places))}
        if not lacking:
            return Result(Level.OK, f"the account may carry out {_listed(kinds)}")
        words = "; ".join(f"{kind}: may not {', '.join(missing)}" for kind, missing in lacking.items())
        hint = "deploy/kubernetes/ has a role for each kind of action. Bind it, or set the kind to off."
        return Result(
            _level(systems.settings, list(lacking)), f"the policy allows more than the account: {words}", hint
        )

    return Check(f"kubernetes {part.name} rights", look)


def _missing(client: KubernetesClient, kind: str, places: Sequence[str]) -> list[str]:
    """What the account lacks for ``kind``, in words. An empty place stands for every namespace."""
    return [
        f"{verb} {resource}" + (f" in {place}" if place else " in all namespaces")
        for place in places
        for verb, group, resource in OF_KUBERNETES[kind]
        if not client.may(verb, group, resource, place)
    ]


def _places(settings: Settings, part: KubernetesSettings) -> list[str]:
    """The namespaces that are watched, or that rules name; every one (``""``) where neither says which."""
    watched = [name for name in part.namespaces if "*" not in name]
    ruled = [
        scope.partition("/")[2]
        for kind in OF_KUBERNETES
        for scope, mode in _rules(settings, kind).items()
        if mode != "off" and scope.startswith(f"{part.name}/")
    ]
    named = watched or [name for name in dict.fromkeys(ruled) if name and not set("*?[") & set(name)]
    return named[:MOST_NAMESPACES] or [""]


def _allowed(settings: Settings, kinds: Iterable[str]) -> list[str]:
    """Those kinds that may be carried out somewhere, by themselves or once a person approved."""
    if settings.dry_run:
        return []
    return [kind for kind in kinds if set(_rules(settings, kind).values()) != {"off"}]


def _level(settings: Settings, kinds: Iterable[str]) -> Level:
    """What is to happen by itself and cannot is a failure; what waits for a person is a warning."""
    by_itself = any("auto" in _rules(settings, kind).values() for kind in kinds)
    return Level.FAILED if by_itself else Level.WARNING


def _rules(settings: Settings, kind: str) -> dict[str, str]:
    """Modes by scope pattern; the catalog's careful default where there is no rule."""
    rule = settings.policy.get(kind, catalog()[kind].default)
    return {"*": rule} if isinstance(rule, str) else dict(rule)


def _listed(kinds: Sequence[str]) -> str:
    return ", ".join(kinds)
