"""Takes text apart into the words that the index counts.

Operations text is full of names (KubePodNotReady, kube_pod_status_ready) that say in one word what people write in
three. So names are split at case and underscores, endings are cut lightly, and each word is also joined with the one
before it: "not ready" and NotReady then share the word "notready", which neither half alone could tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from opscrew.strict_yaml import read_strictly

WORDS_FILE = Path(__file__).with_name("words.yaml")
SYNONYMS_FILE = Path(__file__).with_name("synonyms.yaml")
LISTS = ("frame", "metric_endings", "query_functions", "routine_labels", "stop")
"""What words.yaml must hold, and nothing else."""

NAMES = re.compile(r"[A-Za-z0-9_]+")
PARTS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")


def words(text: str) -> list[str]:
    """Words in order, each followed by its joint with the word before; long names also as a whole."""
    return [word for word, _ in words_and_joints(text)]


def words_and_joints(text: str) -> Iterator[tuple[str, bool]]:
    """Like ``words``; the second tells whether it is a joint of two."""
    before = ""
    for name in NAMES.findall(one_name_each(text)):
        parts = split_name(name)
        for part in parts:
            if part in listed("stop") or len(part) < 2:
                continue
            word = stem(part)
            yield word, False
            if before:
                yield before + word, True
            before = word
        if len(parts) > 2:
            yield name.lower().replace("_", ""), False


def one_name_each(text: str) -> str:
    """With the synonyms of ``synonyms.yaml`` replaced."""
    pattern, table = synonyms()
    return pattern.sub(lambda match: table[match[0].lower()], text)


def split_name(name: str) -> list[str]:
    """KubePodNotReady and kube_pod_not_ready alike: kube, pod, not, ready. An acronym stays whole."""
    return [part.lower() for part in PARTS.findall(name)]


def stem(word: str) -> str:
    """Cuts English endings lightly: fill, fills, filled and filling become one; short words stay as they are.

    A full stemmer was no better on the benchmark and makes words that nobody recognises in an explanation.
    """
    if len(word) <= 3:
        return word
    if word.endswith("ies"):
        word = word[:-3] + "y"
    elif word.endswith("sses"):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            word = word[: -len(ending)]
            if word[-1] == word[-2] and word[-1] not in "ls":  # stopped, but not filled or passed
                word = word[:-1]
            break
    if word.endswith("e") and len(word) > 4:
        word = word[:-1]
    if word.endswith("ly") and len(word) > 5:
        word = word[:-2]
    return word


def listed(name: str) -> frozenset[str]:
    """One list of words.yaml."""
    return read_lists()[name]


@cache
def read_lists() -> Mapping[str, frozenset[str]]:
    """All of words.yaml. A line may hold several words. Raises ``ValueError`` for a list too few or too many."""
    lists = read_strictly(WORDS_FILE)[0]
    if odd := set(lists).symmetric_difference(LISTS):
        raise ValueError(f"{' and '.join(sorted(map(str, odd)))}: a list that is missing or that nobody knows")
    return {name: frozenset(word for line in lines for word in str(line).split()) for name, lines in lists.items()}


@cache
def synonyms() -> tuple[re.Pattern[str], Mapping[str, str]]:
    """What finds the words of synonyms.yaml in a text, and what stands for each. Raises ``ValueError`` for no text."""
    pairs = read_strictly(SYNONYMS_FILE)[0].items()
    if odd := [one for pair in pairs for one in pair if not isinstance(one, str)]:
        raise ValueError(f"{odd[0]!r} is no text; YAML wants it in quotes")
    table = {left.lower(): right for left, right in pairs}
    longest_first = sorted(map(re.escape, table), key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(longest_first)})(?![\w-])", re.IGNORECASE), table
