"""Why an image could not be pulled, told from the words of the container runtime and the registry.

The words are data (``image_pulls.yaml``). What names an image or an address is cut out of a message before its words
count: tags, paths and digests hold every number and every word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from opscrew.strict_yaml import load_strictly

PULLS_FILE = Path(__file__).with_name("image_pulls.yaml")

# Addresses, digests, and quoted or bare names with a slash and a tag ("reg.example.org/team/web:1").
_NAMES = re.compile(
    r'https?://[^\s"]+|sha256:[0-9a-f]+|"[^"\s]*[/:@][^"\s]*"|[\w.-]+(?::\d+)?/[^\s"]*[:@][^\s"]*', re.IGNORECASE
)


class PullFailure(BaseModel):
    """One entry of ``image_pulls.yaml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cause: str
    next: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Rule:
    failure: PullFailure
    pattern: re.Pattern[str]


def pull_failure(messages: Iterable[str], image: str = "") -> PullFailure | None:
    """The first cause that one of the messages names, or None where they do not say. ``image`` as the pod writes it."""
    told = _without_names(" \n".join(messages), image)
    return next((rule.failure for rule in pull_rules() if rule.pattern.search(told)), None)


def _without_names(message: str, image: str) -> str:
    cut = _NAMES.sub(" ", message)
    name = image.partition("@")[0]
    last = name.rpartition("/")[2]
    plain = name[: len(name) - len(last)] + last.partition(":")[0]
    parts = (image, name, plain, plain.partition("/")[2], last)
    for part in sorted({part for part in parts if len(part) > 1}, key=len, reverse=True):
        cut = re.sub(rf"(?<![\w.-]){re.escape(part)}(?![\w-])", " ", cut)
    return cut


@cache
def pull_rules() -> tuple[_Rule, ...]:
    """In the order of the file. Raises ``UsageError`` where it was edited wrongly."""
    failures: tuple[PullFailure, ...] = load_strictly(PULLS_FILE, tuple[PullFailure, ...])
    return tuple(_Rule(failure, _whole(failure.words)) for failure in failures)


def _whole(words: Iterable[str]) -> re.Pattern[str]:
    """Any of the words, with nothing of a longer word or number around it."""
    return re.compile(rf"(?<![\w-])(?:{'|'.join(re.escape(word) for word in words)})(?![\w-])", re.IGNORECASE)
