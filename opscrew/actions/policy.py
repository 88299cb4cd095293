"""Which actions happen by themselves, which ask first, and which never happen.

Rules come from ``policy`` in crew.yaml: a mode per kind, or modes by scope pattern per kind. The most specific
pattern wins. Where no rule fits, the catalog's default decides, and that is never ``auto``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from opscrew.actions.catalog import ActionKind, catalog
from opscrew.actions.quiet_hours import parse_quiet_hours
from opscrew.errors import UsageError
from opscrew.settings import PolicyMode, Settings

Rules = Mapping[str, PolicyMode | Mapping[str, PolicyMode]]

_STRICTNESS: dict[PolicyMode, int] = {"auto": 0, "approve": 1, "off": 2}
_WILDCARDS = "*?["


@dataclass(frozen=True)
class Decision:
    """The mode, and the rule it follows from in words."""

    mode: PolicyMode
    why: str


def decide(kind: ActionKind, scope: str, rules: Rules) -> Decision:
    """The mode for one kind on one scope ("acme/shop", "prod/payments")."""
    rule = rules.get(kind.name)
    if rule is None:
        return Decision(kind.default, f"no rule for {kind.name}, so the catalog's {kind.default} holds")
    if isinstance(rule, str):
        return Decision(rule, f"policy says {rule} for {kind.name}")
    fitting = [pattern for pattern in rule if fnmatchcase(scope, pattern)]
    if not fitting:
        return Decision(kind.default, f"no pattern of {kind.name} fits {scope}, so the catalog's {kind.default} holds")
    best = max(fitting, key=lambda pattern: (*_specificity(pattern), _STRICTNESS[rule[pattern]]))
    return Decision(rule[best], f"policy says {rule[best]} for {kind.name} on {best}")


def check_rules(rules: Rules) -> None:
    """Raises ``UsageError`` for a kind that the catalog does not have: a rule that never fits protects nobody."""
    for name in rules:
        if name not in catalog():
            near = difflib.get_close_matches(name, catalog(), n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise UsageError(f"policy: unknown action {name}{hint}", f"Known are: {', '.join(catalog())}.")


def check_patterns(rules: Rules, places: Mapping[str, Sequence[str]]) -> None:
    """Raises ``UsageError`` for a scope pattern that fits nothing in ``places`` (by system, what scopes begin with).

    ``{"*": auto, "infra": off}`` looks as if infra were safe, and is not: its scope is "acme/infra".
    """
    for name, rule in rules.items():
        known = places.get(catalog()[name].system, ())
        for pattern in rule if known and not isinstance(rule, str) else ():
            if not any(_can_fit(pattern, f"{place}/") for place in known):
                raise UsageError(
                    f"policy.{name}: the pattern {pattern!r} fits nothing in {', '.join(known)}",
                    f'Scopes look like "{known[0]}/{pattern.rpartition("/")[2] or "*"}".',
                )


def check_settings(settings: Settings) -> None:
    """Raises ``UsageError`` when policy or quiet hours cannot be understood. Called before anything is started."""
    check_rules(settings.policy)
    check_patterns(settings.policy, _places(settings))
    parse_quiet_hours(settings.quiet_hours, settings.zone)


def _places(settings: Settings) -> dict[str, tuple[str, ...]]:
    """What is not configured is left out: there, nothing can be done that a rule must hold back."""
    return {
        "bitbucket": (settings.bitbucket.workspace,) if settings.bitbucket else (),
        "kubernetes": tuple(cluster.name for cluster in settings.kubernetes),
    }


def _can_fit(pattern: str, beginning: str) -> bool:
    """Whether ``pattern`` can fit any scope with this beginning: its text up to the first wildcard decides."""
    plain = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
    return plain.startswith(beginning) or (plain != pattern and beginning.startswith(plain))


def _specificity(pattern: str) -> tuple[bool, int]:
    """An exact name first, then the longest text outside wildcards. Equal ones: the stricter mode wins."""
    exact = not any(sign in pattern for sign in _WILDCARDS)
    return exact, sum(1 for sign in pattern if sign not in "*?")
