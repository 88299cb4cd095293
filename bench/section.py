"""What one benchmark returns: rows of measured values beside their targets and reference numbers."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Row:
    """One line of a table. ``met`` is None where there is no target, so nothing looks better than it is."""

    what: str
    value: str
    target: str = ""
    reference: str = ""
    met: bool | None = None


@dataclass(frozen=True)
class Section:
    """One table of docs/BENCHMARKS.md. ``intro`` says what was measured, on which data and how it was split."""

    name: str
    title: str
    intro: str
    rows: list[Row] = field(default_factory=list)


def at_least(what: str, value: float, target: float, reference: str = "", digits: int = 3) -> Row:
    """A row whose target is a floor."""
    return Row(what, f"{value:.{digits}f}", f"≥ {target}", reference, bool(value >= target))


def at_most(what: str, value: float, target: float, reference: str = "", digits: int = 3, unit: str = "") -> Row:
    """A row whose target is a ceiling."""
    return Row(what, f"{value:.{digits}f}{unit}", f"≤ {target}{unit}", reference, bool(value <= target))
