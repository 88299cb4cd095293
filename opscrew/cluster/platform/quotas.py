"""Resource quotas that are nearly or fully used."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from opscrew.cluster.problem import Problem
from opscrew.cluster.quantities import parse_quantity
from opscrew.cluster.snapshot import Snapshot
from opscrew.cluster.thresholds import thresholds
from opscrew.model.finding import Severity
from tools.kubernetes.fields import mapping, text


def check_quotas(snapshot: Snapshot) -> Iterator[Problem]:
    """One problem per quota, with its fullest resource first."""
    for quota in snapshot.of("ResourceQuota"):
        hard, used = mapping(quota.status, "hard"), mapping(quota.status, "used")
        shares: list[tuple[Decimal, str]] = []
        for name in hard:
            limit, amount = parse_quantity(text(hard, name)), parse_quantity(text(used, name))
            if limit and amount is not None:
                shares.append((amount / limit * 100, name))
        full = sorted((s for s in shares if s[0] >= thresholds().quota_warning_percent), reverse=True)
        if full:
            share, name = full[0]
            facts = tuple(f"{n}: {text(used, n)} of {text(hard, n)} used" for _, n in full)
            cause = f"{name} is {share:.0f} % used ({text(used, name)} of {text(hard, name)})."
            # Used up but nothing asks for more is no problem yet; whoever is refused reports QUOTA_EXCEEDED.
            yield Problem("QUOTA_NEARLY_USED", quota, "QuotaUsed", cause, facts=facts, severity=Severity.INFO)
