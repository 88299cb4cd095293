"""How many injected wrong numbers and names the claim check catches, and how many right sentences it drops."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from bench.section import Row, Section, at_least, at_most
from opscrew.answer.claim_numbers import WORDS
from opscrew.answer.claims import ClaimCheck
from opscrew.answer.packet import Fact

CLAIMS_FILE = Path(__file__).with_name("claims.yaml")

NUMBER = re.compile(r"(?<![\w#.:/\[-])(?!0\d)\d+(?:\.\d+)?(?![\w:/-]|\.\d)")
WORD = re.compile(rf"\b(?:{'|'.join(WORDS)})\b", re.IGNORECASE)
CLOCK = re.compile(r"\b\d{2}:\d{2}\b")
BUILD = re.compile(r"#\d+")
COMMIT = re.compile(r"\b(?=\w*\d)(?=\w*[a-f])[0-9a-f]{7,12}\b")
PERSON = re.compile(r"\b(?:Eva Roth|Chidi Marsh|Dana Okafor)\b")
INVENTED = ("billing-worker", "auth-proxy", "redis-master", "ledger-api", "db-7f9c", "node-17", "builder-9")
PEOPLE = ("Ines Keller", "Tom Baker", "Ravi Shah")
ROUNDS = 3
"""Different wrong values for each place that can be wrong."""


def load() -> tuple[ClaimCheck, list[str], dict[str, Any]]:
    """The check over the file's evidence, and the true sentences."""
    raw = yaml.safe_load(CLAIMS_FILE.read_text(encoding="utf-8"))
    facts = [Fact(source, text, datetime.fromisoformat(at), id=name) for name, source, at, text in raw["facts"]]
    check = ClaimCheck(facts, raw["question"], ZoneInfo(raw["zone"]), raw["known"])
    return check, raw["sentences"], raw


def corrupted(sentence: str, known: list[str], chance: random.Random) -> Iterator[tuple[str, str]]:
    """(kind, sentence) with one thing made wrong at a time. Citations stay as they are."""
    for match in NUMBER.finditer(sentence):
        yield "number", _put(sentence, match, _other_number(match[0], chance))
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
    for match in PERSON.finditer(sentence):
        yield "person", _put(sentence, match, chance.choice(PEOPLE))
    for name in known:
        for match in re.finditer(rf"(?<![\w/-]){re.escape(name)}(?![\w-])", sentence):
            yield "name", _put(sentence, match, chance.choice([*INVENTED, *(one for one in known if one != name)]))


def _put(sentence: str, match: re.Match[str], new: str) -> str:
    return sentence[: match.start()] + new + sentence[match.end() :]


def _other_number(text: str, chance: random.Random) -> str:
    """Wrong by far or by a little, but never a rounding of the right one."""
    if "." in text:
        return f"{float(text) * chance.choice((0.5, 1.3, 2, 7)):.1f}"
    value = int(text)
    return str(chance.choice([value + max(1, value // 4), value * 2 + 1, value * 10, value + 3]))


def measure(data: Path) -> Section:
    """Needs no data but its own file."""
    del data
    check, right, raw = load()
    dropped = [sentence for sentence in right if not check.check(sentence).holds]
    chance = random.Random(5)
    wrong = {
        (kind, text)
        for _ in range(ROUNDS)
        for sentence in right
        for kind, text in corrupted(sentence, raw["known"], chance)
        if text not in right
    }
    missed = sorted((kind, text) for kind, text in wrong if check.check(text).holds)
    section = Section(
        name="claims",
        title="Claim check",
        intro=(
            f"{len(right)} true sentences in many styles over evidence of the demo shop, and {len(wrong)} seeded "
            "corruptions of them: one number, time, build, commit, person or name made wrong at a time, half of the "
            "names taken from other things that exist."
        ),
    )
    section.rows.append(at_least("injected wrong numbers and names caught", 1 - len(missed) / len(wrong), 0.98))
    section.rows.append(at_most("right sentences dropped", len(dropped) / len(right), 0.02))
    for kind in sorted({kind for kind, _ in wrong}):
        total = sum(one == kind for one, _ in wrong)
        lost = sum(one == kind for one, _ in missed)
        section.rows.append(Row(f"caught, {kind} ({total})", f"{1 - lost / total:.3f}"))
    return section
