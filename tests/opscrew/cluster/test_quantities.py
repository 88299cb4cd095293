"""Kubernetes quantities as exact numbers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from opscrew.cluster.quantities import parse_quantity


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("500m", Decimal("0.5")),
        ("2Gi", Decimal(2**31)),
        ("1.5Ki", Decimal(1536)),
        ("1e3", Decimal(1000)),
        ("12E6", Decimal(12_000_000)),
        ("3", Decimal(3)),
        ("250000n", Decimal("0.00025")),
        ("5E", Decimal(5) * 10**18),
        ("", None),
        ("lots", None),
        ("Infinity", None),
    ],
)
def test_a_quantity_is_read_exactly(text: str, number: Decimal | None) -> None:
    assert parse_quantity(text) == number
