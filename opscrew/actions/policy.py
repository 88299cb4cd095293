"""Which actions happen by themselves, which ask first, and which never happen.

Rules come from ``policy`` in crew.yaml: a mode per kind, or modes by scope pattern per kind. The most specific
pattern wins, but ``auto`` never wins over an ``off`` that fits too. Where no rule fits, the catalog's default decides,
and that is never ``auto``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from opscrew.actions.catalog import ActionKind, catalog
from opscrew.actions.quiet_hours import parse_quiet_hours
from opscrew.actions.scope_patterns import ANY_PLACE, can_fit, fixed, is_exact
from opscrew.errors import UsageError
from opscrew.settings import PolicyMode, Settings
from opscrew.settings_mistakes import Mistake, refuse

Rules = Mapping[str, PolicyMode | Mapping[str, PolicyMode]]

_STRICTNESS: dict[PolicyMode, int] = {"auto": 0, "approve": 1, "off": 2}


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
    best = max(fitting, key=lambda pattern: (is_exact(pattern), fixed(pattern), _STRICTNESS[rule[pattern]]))
    if rule[best] == "auto":
        # Whatever is more specific: who wrote "off" over a place wants nothing to happen in it by itself.
        best = next((pattern for pattern in fitting if rule[pattern] == "off"), best)
    return Decision(rule[best], f"policy says {rule[best]} for {kind.name} on {best}")


def unknown_kinds(rules: Rules) -> Iterator[Mistake]:
    """A mistake for each kind that the catalog does not have: a rule that never fits protects nobody."""
    for name in rules:
        if name not in catalog():
            near = difflib.get_close_matches(name, catalog(), n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            yield Mistake(f"policy: unknown action {name}{hint}", f"Known are: {', '.join(catalog())}.")


def dead_patterns(rules: Rules, places: Mapping[str, Sequence[str]]) -> Iterator[Mistake]:
    """A mistake for each scope pattern that can fit no scope of its kind: it looks as if it protected something, and
    does not. ``places`` are by system what scopes begin with; where none is known, any name may stand.

    ``{"*": auto, "infra": off}`` looks as if infra were safe, and is not: its scope is "acme/infra".
    """
    for name, rule in rules.items():
        kind = catalog().get(name)
        if kind is None:
            continue
        known = places.get(kind.system, ())
        if isinstance(rule, str) or (not known and kind.system in places):
            continue
        for pattern in rule:
            if "[^" in pattern:
                # A shell reads it as "none of", and the patterns here as one of the set: the very opposite.
                yield Mistake(f"policy.{name}: the pattern {pattern!r} holds [^", 'Write "[!" for "none of".')
            elif not any(can_fit(pattern, place, kind.scope) for place in known or (ANY_PLACE,)):
                yield Mistake(
                    f"policy.{name}: the pattern {pattern!r} fits nothing in {', '.join(known) or kind.system}",
                    _shape_of(kind, known),
                )


def _shape_of(kind: ActionKind, known: Sequence[str]) -> str:
    if not kind.scope:
        return f"{kind.name} has no scope: write one mode for all of it."
    names = [f"<{part}>" for part in kind.scope]
    return f"Scopes of {kind.name} look like {'/'.join([*known[:1], *names[1:]] if known else names)}."


def check_settings(settings: Settings) -> None:
    """Raises ``UsageError`` with all that cannot be understood of policy and quiet hours. Called before anything is
    started."""
    refuse(mistakes_in_rules(settings))


def mistakes_in_rules(settings: Settings) -> list[Mistake]:
    """What cannot be understood of policy and quiet hours."""
    found = [*unknown_kinds(settings.policy), *dead_patterns(settings.policy, _places(settings))]
    try:
        parse_quiet_hours(settings.quiet_hours, settings.zone)
    except UsageError as problem:
        found.append(Mistake(problem.message, problem.hint))
    return found


def _places(settings: Settings) -> dict[str, tuple[str, ...]]:
    """What is not configured is left out: there, nothing can be done that a rule must hold back."""
    return {
        "bitbucket": (settings.bitbucket.workspace,) if settings.bitbucket else (),
        "kubernetes": tuple(cluster.name for cluster in settings.kubernetes),
    }
