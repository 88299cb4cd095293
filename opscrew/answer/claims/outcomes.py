"""Holds "passed" and "failed" of a sentence against the facts about the same thing: a right number of a build does not
make "it passed" true, and "no failures" is a claim too."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache

from opscrew.answer.claims.language import claim_words
from opscrew.answer.claims.numbers import Quantity
from opscrew.answer.claims.words import stem

NONE = re.compile(r"\b(?:no|zero) (?:[a-z-]+ )?(?P<noun>[a-z]{3,}s)\b", re.IGNORECASE)
ALL = re.compile(r"\b(?:all|every|each)\b(?P<rest>(?: [\w'-]+){1,8})", re.IGNORECASE)


def contradiction(clause: str, facts: Sequence[str]) -> str:
    """What ``facts``, texts about the things that ``clause`` names, say against it; "" where they do not. A sentence
    of what might be, of some other time, or of both outcomes at once is left alone."""
    words = claim_words()
    said = {name for name, pattern in _outcomes().items() if pattern.search(clause)}
    if len(said) != 1 or not facts or words.supposed.search(clause):
        return ""
    (outcome,) = said
    seen = [_seen(fact) for fact in facts]
    happened = {name for one in seen for name, is_there in one.items() if is_there}
    denied = {name for one in seen for name, is_there in one.items() if not is_there}
    if _is_denied(clause, outcome):
        is_wrong = outcome in happened and not words.elsewhen.search(clause)
        return f"the evidence does tell that it {outcome}" if is_wrong else ""
    others = (happened - {outcome}) | (denied & {outcome})
    return f"the evidence does not tell that it {outcome}" if others and outcome not in happened else ""


def miscounted(clause: str, numbers: Sequence[Quantity]) -> str:
    """What the ``numbers`` of facts about the same things say against "no restarts" and "all replicas are ready"."""
    if claim_words().elsewhen.search(ALL.sub("", clause)) or claim_words().supposed.search(clause):
        return ""
    for match in NONE.finditer(clause):
        counted = [one for one in numbers if one.kind == "count" and stem(match["noun"].lower()) in one.nouns]
        if counted and all(one.value > 0 for one in counted):
            return f"the evidence counts {counted[0].text.strip()} {match['noun']}"
    for match in ALL.finditer(clause):
        stems = {stem(word) for word in re.findall(r"[a-z]+", match["rest"].lower())}
        for one in numbers:
            if one.whole and one.value != one.whole and len(stems & set(one.nouns)) > 1:
                return f"by the evidence it is {one.text.strip()} of {one.whole:g}"
    return ""


def _is_denied(clause: str, outcome: str) -> bool:
    """Of "failed because the test did not hold" the failure is not denied."""
    return any(
        claim_words().denied_before.search(clause[: match.start()]) for match in _outcomes()[outcome].finditer(clause)
    )


def _seen(fact: str) -> Mapping[str, bool]:
    """Outcomes that a fact tells of; False where it counts none of them: "0 failed"."""
    none, found = claim_words().none_before, {}
    for name, pattern in _outcomes().items():
        places = [match.start() for match in pattern.finditer(fact)]
        if places:
            found[name] = any(not none.search(fact[:start]) for start in places)
    return found


@cache
def _outcomes() -> Mapping[str, re.Pattern[str]]:
    return {name: re.compile(rf"\b(?:{text})\b", re.IGNORECASE) for name, text in claim_words().outcomes.items()}
