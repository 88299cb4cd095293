"""Writes the answer that always stands, from templates: an opening, the best facts with their ids, and what could not
be seen. A model may add sentences behind it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from opscrew.answer.packet import Fact
from opscrew.answer.understand.question import Understanding
from opscrew.memory.summary import shortened
from opscrew.memory.turns import OF_WORDS_ALONE
from opscrew.strict_yaml import load_strictly

TEMPLATES_FILE = Path(__file__).with_name("templates.yaml")

ANSWERS = 5.0
"""Weight from which a fact answers the question; lighter ones are background."""


TOLD_AGAIN = 2
"""Facts that are told in full although they are known: an answer without any would be none."""

LONGEST_KNOWN = 90
"""Characters of a fact that was told before."""


class Common(BaseModel):
    """Sentences that any answer may need."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    unknown: str
    unavailable: str
    not_measured: str
    near: str
    unknown_name: str
    assumed: str
    unclear: str
    out_of_field: str
    help: str
    as_before: str
    nothing_new: str
    known: str
    all_known: str
    looked_up: str


class Wording(BaseModel):
    """Of one intent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    found: str
    facts: int
    nothing: str


class Templates(BaseModel):
    """See ``templates.yaml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    common: Common
    intents: Mapping[str, Wording]


def write_answer(
    understood: Understanding,
    facts: Sequence[Fact],
    looked_at: Sequence[str],
    *,
    missing: bool,
    told: Collection[str] = (),
    is_asked_again: bool = False,
) -> str:
    """``missing`` is true when a source that matters did not answer: then "nothing was found" would be a guess.
    ``told`` holds ids of facts that this conversation told before; they are not told again, and where the same was
    asked before and nothing is new, that is said."""
    common, wording = templates().common, templates().intents.get(understood.intent)
    if wording is None:  # a greeting, or another field
        return str(getattr(common, understood.intent))
    answering = [fact for fact in facts if fact.weight >= ANSWERS]
    about = f" for {understood.subject}" if understood.subject else ""
    if answering:
        chosen = answering[: wording.facts]
        is_old = is_asked_again and all(fact.id in told for fact in chosen)
        opening = common.nothing_new if is_old else wording.found
        return _listed(chosen, opening.format(subject=about), told)
    if wording.nothing and not missing and looked_at:
        background = " ".join(sentence(fact) for fact in facts[:2])
        return f"{wording.nothing.format(subject=about)} {background}".strip()
    return common.unknown.format(looked_at=in_words(looked_at) or "nothing, since nothing could be asked")


def _listed(chosen: Sequence[Fact], opening: str, told: Collection[str]) -> str:
    """The facts that answer best and what is new; the rest in few words."""
    full = [fact for place, fact in enumerate(chosen) if place < TOLD_AGAIN or fact.id not in told]
    known = [fact for fact in chosen if fact not in full]
    lines = [opening, *(f"- {sentence(fact)}" for fact in full)]
    if known:
        lines.append(templates().common.as_before.format(facts="; ".join(map(_in_short, known))))
    return "\n".join(lines)


def _in_short(fact: Fact) -> str:
    return f"{shortened(fact.text, LONGEST_KNOWN).rstrip('.')} [{fact.id}]"


def notes(understood: Understanding, unavailable: Sequence[str], not_measured: Sequence[str] = ()) -> list[str]:
    """What belongs beside any answer: misspelt names, systems that did not answer, and what nobody measured."""
    common = templates().common
    missing = [common.unavailable.format(systems=in_words(unavailable))] if unavailable else []
    missing += [common.not_measured.format(gap=gap.rstrip(".")) for gap in not_measured]
    if understood.intent in OF_WORDS_ALONE:  # an unknown word in them is no misspelt name
        return missing
    assumed = dict(understood.assumed)
    found = [common.assumed.format(word=word, name=name) for word, name in assumed.items()]
    for word, names in understood.near:
        if word not in assumed:
            template = common.near if names else common.unknown_name
            found.append(template.format(word=word, names=in_words(names, "or")))
    if understood.is_unclear:
        found.append(common.unclear)
    return found + missing


def note_of_known(facts: Sequence[Fact], known: Collection[str]) -> str:
    """Which of the facts that an answer tells a person knows from an earlier conversation (``known`` holds ids)."""
    heard = [fact.id for fact in facts if fact.id in known]
    if not heard:
        return ""
    common = templates().common
    return common.all_known if len(heard) == len(facts) else common.known.format(ids=in_words(heard))


def found_by_model(facts: Sequence[Fact]) -> str:
    """What a tool brought that the model asked for; "" where there is nothing."""
    if not facts:
        return ""
    return "\n".join([templates().common.looked_up, *(f"- {sentence(fact)}" for fact in facts)])


def sentence(fact: Fact) -> str:
    """The fact with its id, as a sentence."""
    return f"{fact.text.rstrip('.')} [{fact.id}]."


def in_words(things: Sequence[str], joint: str = "and") -> str:
    """ "a, b and c"."""
    if len(things) < 2:
        return "".join(things)
    return f"{', '.join(things[:-1])} {joint} {things[-1]}"


@cache
def templates() -> Templates:
    """``CrewError`` for a file that was edited wrongly."""
    return load_strictly(TEMPLATES_FILE, Templates)
