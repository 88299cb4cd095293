"""Writes an answer from templates: an opening, the best facts with their ids, and what could not be seen.

Used where the model is off, late or missing, and for the notes that stand beside a model's prose.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from opscrew.answer.packet import Fact
from opscrew.answer.understand import Understanding

TEMPLATES_FILE = Path(__file__).with_name("templates.yaml")

ANSWERS = 5.0
"""Weight from which a fact answers the question; lighter ones are background."""


def write_answer(understood: Understanding, facts: Sequence[Fact], looked_at: Sequence[str], *, missing: bool) -> str:
    """``missing`` is true when a source that matters did not answer: then "nothing was found" would be a guess."""
    common = _templates()["common"]
    if understood.intent in ("out_of_field", "help"):
        return str(common[understood.intent])
    wording = _templates()["intents"][understood.intent]
    answering = [fact for fact in facts if fact.weight >= ANSWERS]
    about = f" for {understood.subject}" if understood.subject else ""
    if answering:
        chosen = answering[: wording["facts"]]
        return "\n".join([wording["found"].format(subject=about), *(f"- {sentence(fact)}" for fact in chosen)])
    if wording["nothing"] and not missing and looked_at:
        background = " ".join(sentence(fact) for fact in facts[:2])
        return f"{wording['nothing'].format(subject=about)} {background}".strip()
    return str(common["unknown"]).format(looked_at=in_words(looked_at) or "nothing, since nothing could be asked")


def notes(understood: Understanding, unavailable: Sequence[str]) -> list[str]:
    """What belongs beside any answer: misspelt names, and systems that did not answer."""
    common = _templates()["common"]
    if understood.intent in ("out_of_field", "help"):
        return []  # a word of another field is no misspelt name
    assumed = dict(understood.assumed)
    found = [common["assumed"].format(word=word, name=name) for word, name in assumed.items()]
    for word, names in understood.near:
        if word not in assumed:
            key = "near" if names else "unknown_name"
            found.append(common[key].format(word=word, names=in_words(names, "or")))
    if unavailable:
        found.append(common["unavailable"].format(systems=in_words(unavailable)))
    return found


def sentence(fact: Fact) -> str:
    """The fact with its id, as a sentence."""
    return f"{fact.text.rstrip('.')} [{fact.id}]."


def in_words(things: Sequence[str], joint: str = "and") -> str:
    """ "a, b and c"."""
    if len(things) < 2:
        return "".join(things)
    return f"{', '.join(things[:-1])} {joint} {things[-1]}"


@cache
def _templates() -> dict[str, Any]:
    raw: dict[str, Any] = yaml.safe_load(TEMPLATES_FILE.read_text(encoding="utf-8"))
    return raw
