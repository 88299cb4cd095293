"""The words of ``prose.yaml``, read once and checked."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from opscrew.answer.claims.words import stem
from opscrew.strict_yaml import load_strictly

PROSE_FILE = Path(__file__).with_name("prose.yaml")


def _pattern(text: object) -> re.Pattern[str]:
    try:
        return re.compile(str(text), re.IGNORECASE)
    except re.error as problem:
        raise ValueError(f"{str(text)[:60]!r} is no regular expression: {problem}") from problem


def _patterns(texts: object) -> tuple[re.Pattern[str], ...]:
    if not isinstance(texts, list):
        raise ValueError("write a list of regular expressions")
    return tuple(map(_pattern, texts))


def _listed(text: object) -> frozenset[str]:
    return frozenset(str(text).split())


def _bare(text: object) -> frozenset[str]:
    """Without accents, as the rules see a sentence."""
    return frozenset(plain_letters(str(text)).split())


def plain_letters(text: str) -> str:
    """One form for letters that look alike: full-width, ligatures, accents; without marks that are not seen."""
    text = unicodedata.normalize("NFKD", text)
    return "".join(mark for mark in text if not unicodedata.combining(mark) and unicodedata.category(mark) != "Cf")


def _stems(text: object) -> frozenset[str]:
    return frozenset(map(stem, str(text).split())) | _listed(text)


def _alternatives(text: object) -> frozenset[str]:
    return frozenset(str(text).split("|"))


Pattern = Annotated[re.Pattern[str], BeforeValidator(_pattern)]
Patterns = Annotated[tuple[re.Pattern[str], ...], BeforeValidator(_patterns)]
Listed = Annotated[frozenset[str], BeforeValidator(_listed)]


class ProseWords(BaseModel):
    """See ``prose.yaml``."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    orders: Listed
    maybe_orders: Listed
    objects: Annotated[frozenset[str], BeforeValidator(_alternatives)]
    before_orders: Listed
    told: Listed
    advises: Patterns
    past: Pattern
    about_itself: Patterns
    links: Patterns
    host_and_path: Pattern
    paths_of: Pattern
    programs: Listed
    prose_programs: Listed
    shell: Patterns
    all_clear: Patterns
    well: Patterns
    failure: Pattern
    foreign: Annotated[frozenset[str], BeforeValidator(_bare)]
    empty_words: Annotated[frozenset[str], BeforeValidator(_stems)]
    joins: Pattern


@cache
def prose_words() -> ProseWords:
    """``UsageError`` for a file that was edited wrongly."""
    return load_strictly(PROSE_FILE, ProseWords)
