"""The same failures inside what Bitbucket prints around a script: no figure and no verdict may change by that.

Every failure is wrapped in every form of the frame, with a commit's subject and a branch drawn at random (seeded):
subjects are free text, and name failures of every kind.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Sequence
from typing import Any

from bench.section import Row, at_most
from demo.bitbucket.frames import FORMS, Checkout, Form, framed, random_subject
from opscrew.ci.explain.lines import Explanation, explain
from opscrew.ci.judge.classify import Classification, classify

MOST_DIFFERENCE = 0.02


def explained_in(form: Form, log: str, dice: random.Random) -> tuple[Explanation, int]:
    """The explanation of ``log`` inside of that frame, and how many lines stand above the log there."""
    checkout = Checkout(subject=random_subject(dice), branch=random_subject(dice).replace(" ", "-"))
    whole = framed(log, form, checkout)
    above = whole[: whole.index(log)].count("\n")
    return explain(io.BytesIO(whole.encode("utf-8", "surrogateescape"))), above


def classify_rows(
    bare: Sequence[Classification],
    excerpts: Sequence[str],
    figures: Callable[[list[Classification]], dict[str, float]],
) -> list[Row]:
    """What the frames change in the verdicts over ``excerpts``; ``figures`` scores a list of verdicts."""
    without, rows = figures(list(bare)), []
    changed, most = 0, 0.0
    for form in FORMS:
        dice = random.Random(form)
        inside = [classify(explained_in(form, excerpt, dice)[0]) for excerpt in excerpts]
        changed += sum(one.verdict is not other.verdict for one, other in zip(bare, inside, strict=True))
        found = figures(inside)
        most = max(most, *(abs(found[name] - without[name]) for name in without))
        told = " / ".join(f"{found[name]:.3f}" for name in found)
        rows.append(Row(f"{' / '.join(found)}, in Bitbucket's frame: {form}", told))
    rows.append(at_most("largest difference of a figure by a frame", most, MOST_DIFFERENCE, digits=3))
    rows.append(at_most(f"verdicts that a frame changes, of {len(bare) * len(FORMS)}", changed, 0, digits=0))
    return rows


def explain_rows(logs: Sequence[Any], figures: Callable[[Any, list[int]], tuple[float, float]]) -> list[Row]:
    """What the frames change in recall and F1 of the shown lines. ``logs`` have ``text``, and ``figures`` scores the
    numbers of the lines that are shown of one."""
    dice = random.Random(11)
    sums = {"bare": [0.0, 0.0]} | {form: [0.0, 0.0] for form in FORMS}
    for log in logs:
        text = log.text()
        shown = {"bare": [line.number for line in explain(io.BytesIO(text.encode("utf-8", "surrogateescape"))).lines]}
        for form in FORMS:
            found, above = explained_in(form, text, dice)
            shown[form] = [line.number - above for line in found.lines]
        for form, numbers in shown.items():
            for place, figure in enumerate(figures(log, numbers)):
                sums[form][place] += figure / len(logs)
    most = max(abs(sums[form][place] - sums["bare"][place]) for form in FORMS for place in (0, 1))
    told = ", ".join(f"{form} {recall:.3f} / {f1:.3f}" for form, (recall, f1) in sums.items())
    return [
        Row("LogChunks recall / F1, shipped weights, bare and in Bitbucket's frames", told),
        at_most("largest difference by a frame", most, MOST_DIFFERENCE, digits=3),
    ]
