"""Which actions happen by themselves, which ask first, and which never happen.

Rules come from ``policy`` in crew.yaml: a mode per kind, or modes by scope pattern per kind. The most specific
pattern wins. Where no rule fits, the catalog's default decides, and that is never ``auto``.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
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


def check_settings(settings: Settings) -> None:
    """Raises ``UsageError`` when policy or quiet hours cannot be understood. Called before anything is started."""
    check_rules(settings.policy)
    parse_quiet_hours(settings.quiet_hours, settings.zone)


def _specificity(pattern: str) -> tuple[bool, int]:
    """An exact name first, then the longest text outside wildcards. Equal ones: the stricter mode wins."""
    exact = not any(sign in pattern for sign in _WILDCARDS)
    return exact, sum(1 for sign in pattern if sign not in "*?")
