"""Puts catalog, policy, quiet hours and budgets together: may this action go ahead now?

Asked twice, when an action is proposed and right before it is sent, because settings, budgets and the hour may have
changed in between. What a person approved is held back only by what no approval overrules: ``off``, the budget per
commit, and dry-run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from opscrew.actions.budgets import Spending, shortage
from opscrew.actions.catalog import ActionKind, catalog
from opscrew.actions.policy import decide
from opscrew.actions.quiet_hours import parse_quiet_hours
from opscrew.actions.records import HeldBy
from opscrew.model.action import Action, ActionState
from opscrew.settings import Settings
from opscrew.store.text import LONGEST_SENTENCE, storable, storable_value


@dataclass(frozen=True)
class Ruling:
    """``state`` is approved, waiting or refused; ``note`` says why, for people; ``held_by`` what makes it wait."""

    state: ActionState
    note: str
    held_by: HeldBy = HeldBy.NOTHING


def objection(action: Action) -> str | None:
    """Why this proposal can never be done, or ``None``: it is not in the catalog, or does not fit it."""
    kind = catalog().get(action.kind)
    if kind is None:
        return f"there is no action {action.kind} in the catalog"
    target = action.target
    exact = all(storable(name) == name for name in (target.scope, target.name))
    # Also all of it together, as the audit log writes it: a secret may only show where the parts stand side by side.
    exact = exact and storable(target.key, LONGEST_SENTENCE) == target.key
    exact = exact and storable_value(action.parameters) == action.parameters
    # What is stored is what is sent later. If masking a secret changed it, something else would be acted upon.
    if not exact or storable(action.idempotency_key, LONGEST_SENTENCE) != action.idempotency_key:
        return "its target or parameters hold something that looks like a secret or is too long to keep exactly"
    return kind.objection(action)


def rule(
    action: Action,
    settings: Settings,
    now: datetime,
    past: Sequence[Spending],
    *,
    approved_by_person: bool,
    audit_broken: bool,
) -> Ruling:
    """The ruling for an action without ``objection``. ``past`` is what was done lately, without this action."""
    kind = catalog()[action.kind]
    decision = decide(kind, action.target.scope, settings.policy)
    if decision.mode == "off":
        return Ruling(ActionState.REFUSED, decision.why)
    short = shortage(settings.budget, past, spending_of(kind, action))
    if short and short.absolute:
        return Ruling(ActionState.REFUSED, short.text)
    if approved_by_person:
        return Ruling(ActionState.APPROVED, "approved by a person")
    if kind.carried_out_by == "people":
        note = "the crew cannot carry this out itself: do it by hand, then deny it here to close it"
        return Ruling(ActionState.WAITING, note, HeldBy.PEOPLE)
    if decision.mode == "approve":
        return Ruling(ActionState.WAITING, decision.why, HeldBy.POLICY)
    if audit_broken:
        note = "nothing is done by itself while the audit log is broken (AUDIT_BROKEN)"
        return Ruling(ActionState.WAITING, note, HeldBy.AUDIT)
    quiet = parse_quiet_hours(settings.quiet_hours, settings.zone)
    if quiet.cover(now):
        return Ruling(ActionState.WAITING, f"quiet hours ({quiet})", HeldBy.QUIET_HOURS)
    if short:
        held_by = HeldBy.COOLDOWN if short.budget == "cooldown" else HeldBy.BUDGET
        return Ruling(ActionState.WAITING, short.text, held_by)
    return Ruling(ActionState.APPROVED, decision.why)


def is_off(action: Action, settings: Settings) -> bool:
    """Whether policy switches off what this action, without ``objection``, would do."""
    return decide(catalog()[action.kind], action.target.scope, settings.policy).mode == "off"


def spending_of(kind: ActionKind, action: Action) -> Spending:
    """What the action would use up."""
    return Spending(kind.name, action.target.scope, kind.commit_of(action), kind.cooldown_key_of(action))
