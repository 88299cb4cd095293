"""The one gate that a model's sentence passes before a person sees it.

It is cleaned like every text from outside, must break no rule of ``rules.py``, must hold against the evidence, and
must add something to the answer that code has written.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from opscrew.answer.claims.check import ClaimCheck
from opscrew.answer.packet import Fact
from opscrew.answer.prose.additions import Additions
from opscrew.answer.prose.rules import rule_broken
from opscrew.model.citations import cited_in
from opscrew.store.text import LONGEST_LINE, storable

ESCAPES = re.compile(r"(?:\x1b\[|\x9b)[0-9;:?<=>]*[ -/]*[@-~]|(?:\x1b\]|\x9d)[^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -~]?")
"""What a terminal obeys: colours, titles, links."""

UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Variants and fillers, which count as letters or marks and show nothing."""

UNSEEN_KINDS = ("Cf", "Co", "Cn")
"""Unicode's kinds of what turns or hides text, and of what no font has."""


@dataclass(frozen=True)
class Passed:
    """``text`` is the cleaned sentence; ``problem`` says why it may not be shown, or "" where it may."""

    text: str
    problem: str = ""


class ProseGate:
    """Of one answer. ``told`` is what code wrote; ``has_gaps`` says that some system did not answer."""

    def __init__(self, check: ClaimCheck, facts: Sequence[Fact], told: str, *, has_gaps: bool = False) -> None:
        self._check = check
        self._facts = list(facts)
        self._additions = Additions(told)
        self._has_gaps = has_gaps

    def learn(self, fact: Fact) -> None:
        """Evidence that came while the answer was being written."""
        self._facts.append(fact)
        self._check.learn(fact)

    def take(self, sentence: str) -> Passed:
        """What is let through counts as told from then on."""
        text = cleaned(sentence)
        problem = self._problem(text)
        if not problem:
            self._additions.say(text)
        return Passed(text, problem)

    def _problem(self, text: str) -> str:
        ids = cited_in(text)
        cited = [fact for fact in self._facts if fact.id in ids]
        return (
            rule_broken(text, self._facts, cited=cited, has_gaps=self._has_gaps)
            or self._check.check(text).problem
            or self._additions.problem(text, cited)
        )


def cleaned(sentence: str) -> str:
    """One line without secrets, control characters and what turns or hides text."""
    text = UNSEEN.sub("", ESCAPES.sub(" ", sentence))
    text = "".join(mark for mark in text if unicodedata.category(mark) not in UNSEEN_KINDS)
    return " ".join(storable(text, LONGEST_LINE * 2).split())
