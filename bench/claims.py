"""How many injected wrong numbers and names the claim check catches, and how many right sentences it drops."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from bench.section import Row, Section, at_least, at_most
from opscrew.answer.claims.check import ClaimCheck
from opscrew.answer.claims.clauses import LIST_MARK
from opscrew.answer.claims.names import is_contrast, softened
from opscrew.answer.claims.words import WORDS
from opscrew.answer.packet import Fact
from opscrew.answer.prose.gate import ProseGate
from opscrew.model.citations import cited_in

CLAIMS_FILE = Path(__file__).with_name("claims.yaml")
HELD_OUT_FILE = Path(__file__).with_name("claims_held_out.yaml")

NUMBER = re.compile(r"(?<![\w#.:/\[-])(?!0\d)\d+(?:\.\d+)?(?![\w:/-]|\.\d)")
WORD = re.compile(rf"\b(?:{'|'.join(WORDS)})\b", re.IGNORECASE)
CLOCK = re.compile(r"\b\d{2}:\d{2}\b")
BUILD = re.compile(r"#\d+")
COMMIT = re.compile(r"\b(?=\w*\d)(?=\w*[a-f])[0-9a-f]{7,12}\b")
DENIES = re.compile(
    r"(?:\b(?:no|nothing|not)\b|n't\b).*\b(?:evidence|know\w*|found|log|see)\b"
    r"|\bevidence\b.*(?:\b(?:no|nothing|not)\b|n't\b)|\bnothing\b",
    re.IGNORECASE,
)
"""Says that something is not known, which is as true of another thing; so is "not on main"."""

INVENTED = ("billing-worker", "auth-proxy", "redis-master", "ledger-api", "db-7f9c", "node-17", "builder-9")
PEOPLE = ("Ines Keller", "Tom Baker", "Ravi Shah")
SEED = 5
ROUNDS = 3
"""Different wrong values for each place that can be wrong."""


@dataclass(frozen=True)
class World:
    """One shop's evidence, and what is truly said of it. ``known`` are names that exist there."""

    name: str
    facts: tuple[Fact, ...]
    check: ClaimCheck
    sentences: tuple[str, ...]
    known: tuple[str, ...]
    people: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """What the check made of some worlds. ``wrong`` and ``missed`` hold (kind, sentence). ``shown`` are the right
    sentences, and ``shown_wrong`` the wrong ones, that a person gets: past the whole gate that the check is a part of.
    """

    right: int
    dropped: tuple[str, ...]
    wrong: tuple[tuple[str, str], ...]
    missed: tuple[tuple[str, str], ...]
    shown: tuple[str, ...]
    shown_wrong: tuple[tuple[str, str], ...]


def load(path: Path = CLAIMS_FILE) -> list[World]:
    """The worlds of a file."""
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [_world(one) for one in (raw if isinstance(raw, list) else [raw])]


def _world(raw: dict[str, Any]) -> World:
    facts = [Fact(source, text, datetime.fromisoformat(at), id=name) for name, source, at, text in raw["facts"]]
    check = ClaimCheck(facts, raw["question"], ZoneInfo(raw["zone"]), raw["known"])
    return World(raw["name"], tuple(facts), check, tuple(raw["sentences"]), tuple(raw["known"]), tuple(raw["people"]))


def judge(worlds: Sequence[World], seed: int = SEED) -> Found:
    """Every true sentence, and every corruption of it, put to the check."""
    chance = random.Random(seed)
    dropped: list[str] = []
    wrong: set[tuple[str, str]] = set()
    missed: set[tuple[str, str]] = set()
    shown: list[str] = []
    shown_wrong: set[tuple[str, str]] = set()
    for world in worlds:
        shown += [sentence for sentence in world.sentences if _reaches_a_person(sentence, world)]
        dropped += [sentence for sentence in world.sentences if not world.check.check(sentence).holds]
        for kind, text in _all_corrupted(world, chance):
            wrong.add((kind, text))
            if world.check.check(text).holds:
                missed.add((kind, text))
                if _reaches_a_person(text, world):
                    shown_wrong.add((kind, text))
    right = sum(len(world.sentences) for world in worlds)
    return Found(
        right, tuple(dropped), tuple(sorted(wrong)), tuple(sorted(missed)), tuple(shown), tuple(sorted(shown_wrong))
    )


def _reaches_a_person(sentence: str, world: World) -> bool:
    """Of an answer that has told nothing yet: what is old news there differs from question to question."""
    return not ProseGate(world.check, world.facts, told="").take(sentence).problem


def _all_corrupted(world: World, chance: random.Random) -> Iterator[tuple[str, str]]:
    for _ in range(ROUNDS):
        for sentence in world.sentences:
            yield from (
                (kind, text) for kind, text in corrupted(sentence, world, chance) if text not in world.sentences
            )


def corrupted(sentence: str, world: World, chance: random.Random) -> Iterator[tuple[str, str]]:
    """(kind, sentence) with one thing made wrong at a time. Citations stay as they are."""
    for match in NUMBER.finditer(sentence):
        if LIST_MARK.match(sentence) and match.start() == 0:
            continue  # "2." at the beginning of a line claims nothing
        least = softened(sentence[: match.start()])
        yield "number", _put(sentence, match, _other_number(match[0], least, chance))
    for match in WORD.finditer(sentence):
        value = WORDS[match[0].lower()] + chance.randint(1, 8)
        yield "number word", _put(sentence, match, next((word for word in WORDS if WORDS[word] == value), "thirty"))
    for match in CLOCK.finditer(sentence):
        minute = (int(match[0][:2]) * 60 + int(match[0][3:]) + chance.randint(3, 600)) % 1440
        yield "time", _put(sentence, match, f"{minute // 60:02d}:{minute % 60:02d}")
    for match in BUILD.finditer(sentence):
        yield "build", _put(sentence, match, f"#{int(match[0][1:]) + chance.randint(1, 60)}")
    for match in COMMIT.finditer(sentence):
        yield "commit", _put(sentence, match, "".join(chance.choices("0123456789abcdef", k=len(match[0]))))
    for match in re.finditer("|".join(map(re.escape, world.people)), sentence):
        yield "person", _put(sentence, match, chance.choice(PEOPLE))
    yield from _other_names(sentence, world, chance)


def _other_names(sentence: str, world: World, chance: random.Random) -> Iterator[tuple[str, str]]:
    for name in world.known:
        for match in re.finditer(rf"(?<![\w/-]){re.escape(name)}(?![\w-])", sentence):
            yield "invented name", _put(sentence, match, chance.choice(INVENTED))
            if not DENIES.search(sentence) and not is_contrast(name, sentence):
                yield "swapped name", _put(sentence, match, chance.choice(_others(name, sentence, world)))


def _others(name: str, sentence: str, world: World) -> list[str]:
    """Those that make the sentence wrong: one that is named in it anyway would only make it odd."""
    return [one for one in world.known if one not in sentence and name not in one and one not in name]


def _put(sentence: str, match: re.Match[str], new: str) -> str:
    return sentence[: match.start()] + new + sentence[match.end() :]


def _other_number(text: str, least: float, chance: random.Random) -> str:
    """Wrong by far or by a little, but never a rounding of the right one.
    ``least`` is the share by which "about" may be off."""
    if "." in text:
        return f"{float(text) * chance.choice((0.5, 1.3, 2, 7)):.1f}"
    value = int(text)
    wrong = [value + max(1, value // 4), value * 2 + 1, value * 10, value + 3]
    return str(chance.choice([one for one in wrong if one - value > least * one]))


def measure(data: Path) -> Section:
    """Needs no data but its own files."""
    del data
    tuned_worlds, held_out_worlds = load(), load(HELD_OUT_FILE)
    tuned, held_out = judge(tuned_worlds), judge(held_out_worlds)
    section = Section(
        name="claims",
        title="Claim check",
        intro=(
            "True sentences in many styles and seeded corruptions of them: one number, time, build, commit, person or "
            "name made wrong at a time, names once by one that does not exist and once by one that does. Rules were "
            f"made on a shop and a video site ({tuned.right} sentences, {len(tuned.wrong)} corruptions); held out are "
            f"a data platform and a ticket shop ({held_out.right} sentences, {len(held_out.wrong)} corruptions). "
            "People get only what passes the whole gate of a model's prose, which also drops what tells people what "
            "to do, what says that all is well beside a failure, and what cites nothing."
        ),
    )
    for name, worlds, found in (("held out", held_out_worlds, held_out), ("used for rules", tuned_worlds, tuned)):
        caught = 1 - len(found.missed) / len(found.wrong)
        section.rows.append(at_least(f"injected wrong numbers and names caught, {name}", caught, 0.98))
        section.rows.append(at_most(f"right sentences dropped, {name}", len(found.dropped) / found.right, 0.02))
        reached = len(found.shown_wrong) / len(found.wrong)
        section.rows.append(at_most(f"injected wrong numbers and names that a person gets, {name}", reached, 0.02))
        cited = sum(bool(cited_in(sentence)) for world in worlds for sentence in world.sentences)
        section.rows.append(
            Row(f"right sentences with a citation that a person gets, {name}", f"{len(found.shown) / cited:.3f}")
        )
        for kind in sorted({kind for kind, _ in found.wrong}):
            total = sum(one == kind for one, _ in found.wrong)
            lost = sum(one == kind for one, _ in found.missed)
            section.rows.append(Row(f"  {kind} caught, {name} ({total})", f"{1 - lost / total:.3f}"))
    return section
