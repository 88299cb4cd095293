"""How well questions are understood: intent, subject and time range of written questions, half of them held out."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from bench.section import Row, Section, at_least
from opscrew.answer.understand.question import Asked, Understanding, understand
from opscrew.model.subject import Subject

QUESTIONS_FILE = Path(__file__).with_name("questions.yaml")


@dataclass(frozen=True)
class Written:
    """``start`` is "" for no range, "now", "any", or month-day hour:minute in the file's zone."""

    question: str
    intent: str
    subject: str
    start: str
    before: tuple[str, ...]


@dataclass(frozen=True)
class Misread:
    """What was expected, and what came out."""

    written: Written
    understood: Understanding
    parts: tuple[str, ...]


def load() -> tuple[list[Written], list[Written], dict[str, Any]]:
    """The half for tuning, the half held out, and the rest of the file."""
    raw = yaml.safe_load(QUESTIONS_FILE.read_text(encoding="utf-8"))
    written = [Written(*line[:4], tuple(line[4])) for line in raw.pop("questions")]
    order = list(range(len(written)))
    random.Random(raw["seed"]).shuffle(order)
    half = len(order) // 2
    return [written[place] for place in sorted(order[half:])], [written[place] for place in sorted(order[:half])], raw


def names(raw: dict[str, Any]) -> tuple[Subject, ...]:
    """What the crew is taken to know."""
    made = [Subject(system="bitbucket", kind="repository", scope="acme", name=one) for one in raw["repositories"]]
    made += [Subject(system="bitbucket", kind="branch", scope="acme/payments", name=one) for one in raw["branches"]]
    made += [Subject(system="kubernetes", kind="namespace", scope="prod", name=one) for one in raw["namespaces"]]
    made += [
        Subject(system="kubernetes", kind="Deployment", scope="prod/checkout", name=one) for one in raw["workloads"]
    ]
    return tuple(made)


def misread(written: list[Written], raw: dict[str, Any]) -> list[Misread]:
    """Those of which any part came out otherwise."""
    now, zone = datetime.fromisoformat(raw["now"]).astimezone(UTC), ZoneInfo(raw["zone"])
    found = []
    for one in written:
        before = [Asked(question, now) for question in one.before]
        understood = understand(one.question, names(raw), now, zone, before)
        parts = [] if understood.intent == one.intent else ["intent"]
        parts += [] if sorted(understood.subject.split()) == sorted(one.subject.split()) else ["subject"]
        parts += [] if _start(understood, zone, one.start) else ["range"]
        if parts:
            found.append(Misread(one, understood, tuple(parts)))
    return found


def _start(understood: Understanding, zone: tzinfo, expected: str) -> bool:
    if expected == "any":
        return True
    if understood.range is None:
        return expected == ""
    if understood.range.is_now:
        return expected == "now"
    return f"{understood.range.start.astimezone(zone):%m-%d %H:%M}" == expected


def measure(data: Path) -> Section:
    """Needs no data but its own file."""
    del data
    tuned, held_out, raw = load()
    section = Section(
        name="questions",
        title="Understanding questions",
        intro=(
            f"{len(tuned) + len(held_out)} written questions, by rules alone, without a model. A seeded half was held "
            "out and not looked at while rules were changed. Right means intent, subject and time range together."
        ),
    )
    for label, written in (("held out", held_out), ("used for tuning", tuned)):
        wrong = misread(written, raw)
        right = 1 - len(wrong) / len(written)
        row = f"right, {label} ({len(written)} questions)"
        section.rows.append(at_least(row, right, 0.95) if label == "held out" else Row(row, f"{right:.3f}"))
        for part in ("intent", "subject", "range"):
            share = 1 - sum(part in one.parts for one in wrong) / len(written)
            section.rows.append(Row(f"{part} right, {label}", f"{share:.3f}"))
    return section
