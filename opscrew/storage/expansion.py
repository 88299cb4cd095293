"""The action "make a volume larger": how it is proposed, and what must hold at the moment it is sent."""

from __future__ import annotations

from datetime import datetime

from opscrew.model.action import Action
from opscrew.model.finding import Finding
from opscrew.storage.advice import Advice, Step, claimed_gib
from opscrew.storage.volume import GIB, Claim, Volume

KIND = "expand_pvc"


def expand_action(volume: Volume, advice: Advice, problem: Finding, now: datetime) -> Action | None:
    """The proposal that the advice leads to, or None where it is not to enlarge.

    The key leaves the wanted size out, which changes a little with every look, and holds the week: a proposal that was
    denied is made again only in the next one, or after the claim has another size.
    """
    if advice.step is not Step.EXPAND or advice.to_gib is None:
        return None
    claim, present = volume.claim, claimed_gib(volume)
    return Action(
        kind=KIND,
        target=claim.subject,
        parameters={"from_gib": present, "to_gib": advice.to_gib},
        reason=advice.reason,
        evidence=problem.evidence,
        finding=problem.fingerprint,
        idempotency_key=f"{KIND}/{claim.subject.key}/{claim.uid}/{present}/{now:%G-W%V}",
    )


def why_not_expand(claim: Claim | None, from_gib: int, to_gib: int) -> str | None:
    """Asked again right before sending, on the claim as it is then; None when nothing speaks against it."""
    if claim is None:
        return "the claim is gone"
    if claim.phase != "Bound":
        return f"the claim is {claim.phase or 'in no phase'}"
    if claim.mode == "Block":
        return "it is a raw block device without a file system to enlarge"
    if claim.resizing:
        return f"an enlargement is under way: {claim.resizing}"
    if not claim.storage_class.expandable:
        return f"the class {claim.storage_class.name or '(none)'} does not allow enlarging"
    present = int(claim.requested / GIB)
    if present >= to_gib:
        return f"the claim asks for {present} GiB already"
    if present != from_gib:
        return f"the claim was changed meanwhile: {present} GiB, not {from_gib}"
    return None
