"""What the claim check knows of language, from ``claims.yaml``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from opscrew.answer.claims.words import stem
from opscrew.strict_yaml import load_strictly

CLAIMS_FILE = Path(__file__).with_name("claims.yaml")


def _pattern(text: object) -> re.Pattern[str]:
    return re.compile(str(text), re.IGNORECASE)


def _causes(text: object) -> re.Pattern[str]:
    return _pattern(rf"\b(?:{str(text).replace('| ', '|')})\b")


def _listed(text: object) -> frozenset[str]:
    return frozenset(str(text).split())


class ClaimWords(BaseModel):
    """See ``claims.yaml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    about: tuple[str, ...]
    tolerance: float
    more_than: tuple[str, ...]
    less_than: tuple[str, ...]
    causal: Annotated[re.Pattern[str], BeforeValidator(_causes)]
    denial: Annotated[re.Pattern[str], BeforeValidator(_pattern)]
    nothing_of: Annotated[re.Pattern[str], BeforeValidator(_pattern)]
    outcomes: Mapping[str, str]
    states: Annotated[frozenset[str], BeforeValidator(_listed)]
    supposed: Annotated[re.Pattern[str], BeforeValidator(_pattern)]
    elsewhen: Annotated[re.Pattern[str], BeforeValidator(_pattern)]
    denied_before: Annotated[re.Pattern[str], BeforeValidator(_pattern)]
    none_before: Annotated[re.Pattern[str], BeforeValidator(_pattern)]
    capitals: Annotated[frozenset[str], BeforeValidator(_listed)]
    joined: Annotated[frozenset[str], BeforeValidator(_listed)]


@cache
def claim_words() -> ClaimWords:
    """``CrewError`` for a file that was edited wrongly."""
    return load_strictly(CLAIMS_FILE, ClaimWords)


@cache
def state_stems() -> frozenset[str]:
    """Of the words for how things stand."""
    return frozenset(map(stem, claim_words().states))
