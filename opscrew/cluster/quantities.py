"""Kubernetes quantities ("500m", "2Gi", "1e3") as exact numbers."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

# https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
_SUFFIXES = {
    "Ki": Decimal(2**10),
    "Mi": Decimal(2**20),
    "Gi": Decimal(2**30),
    "Ti": Decimal(2**40),
    "Pi": Decimal(2**50),
    "Ei": Decimal(2**60),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "T": Decimal(10**12),
    "P": Decimal(10**15),
    "E": Decimal(10**18),
}


def parse_quantity(text: str) -> Decimal | None:
    """The number in base units (bytes, cores, pieces), or None where the text is no quantity."""
    text = text.strip()
    factor = Decimal(1)
    for suffix, value in _SUFFIXES.items():
        if text.endswith(suffix):
            text, factor = text.removesuffix(suffix), value
            break
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number * factor if number.is_finite() else None
