"""Reads a short question in the light of the one before: "and the day before?", "why?", "what about payments?"."""

from __future__ import annotations

import re

LEANING = re.compile(
    r"^(?:(?:and|but|so|ok|okay|hm+|then)\b[, ]*)*"
    r"(?:why\b(?: \w+){0,3}\W*$|how come\W*$|what about\b|how about\b|and\b|"
    r"the (?:day|week|hour|month|night) before|"
    r"(?:since|when|who|where|which ones?|how (?:often|long|many))\W*$|tell me more|"
    r"more\b(?: \w+){0,2}\W*$|go on|details\W*$|"
    r"what else|anything else|same for|also\b|now\W*$|today\W*$|yesterday\W*$|on \w+\W*$|in \S+\W*$|for \S+\W*$)",
    re.IGNORECASE,
)
"""A question that means nothing by itself."""

BEGINS_WITH_AND = re.compile(r"^(?:and|but|what about|how about|also|same for)\b", re.IGNORECASE)
POINTING = re.compile(
    r"\b(?:it|its|that|this|they|them|those|these|the same|that one|this one|there|"
    r"the (?:build|pipeline|failure|branch|pod|problem|error|repo))\b",
    re.IGNORECASE,
)
BARE_WHY = re.compile(
    r"^(?:(?:and|but|ok|so)\b[, ]*)*"
    r"(?:why|how come|what happened|what was the (?:cause|reason)|because of what)\b"
    r"(?: (?:is|was|did) (?:that|it|this))?(?: so)?(?: fail(?:ed)?| happen(?:ed)?| break)?\W*$",
    re.IGNORECASE,
)
STEP_BACK = re.compile(r"\bthe (?P<unit>day|week|hour|month|night|fortnight) before(?! yesterday)", re.IGNORECASE)
LONGEST_LEANING = 8
"""Words. A longer question says what it means."""

CAUSE_IN = {
    "ci": "failure_cause",
    "cluster": "cluster_health",
    "storage": "storage",
    "costs": "costs",
    "alerts": "alerts",
}
"""What a bare "why?" asks for, by the domain of the question before."""


def leans(question: str) -> bool:
    """Whether it asks on: its intent is then the one before, unless its own wording is clear."""
    return bool(LEANING.search(question.strip())) and len(question.split()) <= LONGEST_LEANING


def asks_why(question: str) -> bool:
    """ "why?" and its like, with nothing else in it."""
    return BARE_WHY.match(question.strip()) is not None


def adds_on(question: str) -> bool:
    """ "and …", "what about …": keeps what is asked, and changes about what or when."""
    return BEGINS_WITH_AND.match(question.strip()) is not None


def points_back(question: str) -> bool:
    """ "it", "that build": the subject is the one before."""
    return POINTING.search(question) is not None


def step_back(question: str) -> str:
    """The unit of "the day before", else ""."""
    match = STEP_BACK.search(question)
    return match["unit"].lower() if match else ""
