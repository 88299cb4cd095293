"""How well the growth forecast does on real growth series, beside the methods that others use."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np

from bench.section import Row, Section, at_least
from bench.storage_shapes import NEVER, Shape, shapes
from opscrew.storage.forecast import Forecast, forecast
from opscrew.storage.gaps import bridge

DAY, HORIZON = timedelta(days=1), 14
HEADROOMS = (0.02, 0.05, 0.10)
FIRST, EVERY = 60, 7
SEED, OF_EACH = 5, 40
FACTOR, NEAR = 1.6, 1.25
Series = np.ndarray


def measure(data: Path) -> Section:
    """F1 per headroom against three references, Brier score, reliability."""
    path = data / "e_growth_series.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    series = {row["id"]: np.asarray(row["values"], dtype=float) for row in rows}
    section = Section(
        "storage",
        "Storage: will it be full within 14 days?",
        f"{len(series)} daily growth series of public repositories, each judged at every 7th day from day 60 on, from "
        "its own past alone. Nothing is fitted per series; two half-lives, the weight of the present pace and one "
        "threshold are shared by all. Of generated series the future is known: it is what made them.",
    )
    for headroom in HEADROOMS:
        section.rows.extend(_headroom_rows(series, headroom))
    section.rows.append(_shape_row())
    return section


def _shape_row() -> Row:
    """Of series whose future is known: told to fill or to hold as they will, and the day right within a factor."""
    by_kind: dict[str, list[bool]] = {}
    for shape in shapes(SEED, OF_EACH):
        told = forecast(bridge(shape.values).values, shape.step, shape.capacity, HORIZON * DAY)
        by_kind.setdefault(shape.kind, []).append(is_right(shape, told))
    every = [one for kind in by_kind.values() for one in kind]
    worst = ", ".join(f"{kind} {sum(right) / len(right):.2f}" for kind, right in by_kind.items() if not all(right))
    what = f"{len(every)} generated series, right within a factor of {FACTOR}"
    return at_least(what, sum(every) / len(every), 0.95, f"all but: {worst}" if worst else "")


def is_right(shape: Shape, told: Forecast) -> bool:
    """Near the horizon either word is right; what is never full must not be told to fill, whatever its days."""
    if shape.days == NEVER:
        return not told.fills
    middle = told.days_to_full[1]
    is_near = HORIZON / NEAR < shape.days < HORIZON * NEAR
    says_so = is_near or told.fills == (shape.days <= HORIZON)
    return says_so and middle is not None and 1 / FACTOR <= middle / shape.days <= FACTOR


def _headroom_rows(series: dict[str, Series], headroom: float) -> Iterator[Row]:
    told, truth = [], []
    references: dict[str, list[bool]] = {name: [] for name in REFERENCES}
    for values in series.values():
        for t in range(FIRST, len(values) - HORIZON, EVERY):
            capacity = values[t] * (1 + headroom)
            told.append(forecast(values[: t + 1], DAY, capacity, HORIZON * DAY))
            truth.append(bool(values[t + 1 : t + 1 + HORIZON].max() >= capacity))
            for name, method in REFERENCES.items():
                references[name].append(method(values[: t + 1]) >= capacity)
    scores = {name: f1(called, truth) for name, called in references.items()}
    beside = ", ".join(f"{name} {score:.3f}" for name, score in scores.items())
    percent = f"{headroom:.0%} free"
    yield at_least(f"F1, {percent}", f1([one.fills for one in told], truth), round(max(scores.values()), 3), beside)
    probability = np.array([one.probability for one in told])
    hit = np.array(truth, dtype=float)
    base = float(hit.mean())
    brier = float(((probability - hit) ** 2).mean())
    yield Row(
        f"Brier score, {percent}",
        f"{brier:.4f}",
        f"≤ {base * (1 - base):.4f}",
        "always the base rate",
        brier <= base * (1 - base),
    )
    yield Row(f"reliability, {percent}: told → happened", _reliability(probability, hit))


def f1(called: list[bool], truth: list[bool]) -> float:
    """Harmonic mean of precision and recall."""
    hits = sum(c and t for c, t in zip(called, truth, strict=True))
    wrong = sum(c != t for c, t in zip(called, truth, strict=True))
    return 2 * hits / (2 * hits + wrong) if hits else 0.0


def _reliability(probability: np.ndarray, hit: np.ndarray) -> str:
    parts = []
    for low in np.arange(0, 1, 0.2):
        inside = (probability >= low) & (probability < low + 0.2 if low < 0.8 else probability <= 1)
        if inside.any():
            parts.append(f"{probability[inside].mean():.2f} → {hit[inside].mean():.2f} ({int(inside.sum())})")
    return "; ".join(parts)


def _line(days: int) -> Callable[[Series], float]:
    def predict(past: Series) -> float:
        slope, start = np.polyfit(np.arange(days), past[-days:], 1)
        return float(start + slope * (days - 1 + HORIZON))

    return predict


def _usual_growth(past: Series) -> float:
    return float(past[-1] + np.quantile(past[HORIZON:] - past[:-HORIZON], 0.8))


REFERENCES: dict[str, Callable[[Series], float]] = {
    "line over 7 d": _line(7),
    "line over 28 d": _line(28),
    "80th percentile of past growth": _usual_growth,
}
"""What `predict_linear` would say, and the quantile method; each gives the bytes expected after the horizon."""
