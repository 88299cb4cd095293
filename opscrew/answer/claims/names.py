"""Finds what looks like a name in prose: repositories, builds, commits, pods, hosts, files, people, codes."""

from __future__ import annotations

import re
from collections.abc import Collection

from opscrew.answer.claims.language import claim_words
from opscrew.answer.claims.words import SPOKEN
from opscrew.model.citations import without_citations

BUILD = re.compile(r"#\d+\b")
NTH_BUILD = re.compile(r"\b(\d{2,7})(?:st|nd|rd|th) (?:build|pipeline|run)\b")
QUOTED = re.compile(r"[\"“`']([^\"”`'\n]{3,120})[\"”`'](?!\w)")
IDENTIFIER = re.compile(r"(?<![\w#])@?[A-Za-z0-9](?:[\w./:@+-]*\w)?")
COMMIT = re.compile(r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,40}\b")
PLACE = re.compile(
    r"(?:deployment|statefulset|daemonset|replicaset|pod|node|job|cronjob|service|ingress|\w*claim|\w*autoscaler)"
    r" ((?:[\w.-]+/)+[\w.-]+)"
)
"""A Kubernetes object with where it is, in evidence in lower case: "deployment prod/checkout/cart"."""

SAID_PLACE = re.compile(
    r"\b(?:workload|volume|persistentvolumeclaim|service|app|job) (\S+) in (?:namespace )?([\w.-]*\w)"
)
CLUSTER = re.compile(r"^kubernetes \S+")
"""The source of what a cluster said."""

WITHIN = re.compile(
    r"\b(?:in|on|at|from|within|inside|across|throughout|namespace|cluster)\s+(?:the\s+)?(?:namespace\s+|cluster\s+)?[\"'`]?$",
    re.IGNORECASE,
)
PERCENTILE = re.compile(r"p(\d\d)")
TIME = re.compile(
    r"\d{1,2}:\d{2}(?::\d{2})?|\d{4}-\d{2}-\d{2}(?:T[\d:.+Z-]*)?|\d+(?:\.\d+)?(?:[a-z]{1,3}|%)?|\d+(?:st|nd|rd|th)"
)
SPOKEN_NAME = rf"{SPOKEN}|\w+-(?:halves|(?:half|third|quarter|fourth|fifth|sixth|seventh|eighth|ninth|tenth)s?)"
NUMBER_WORDS = re.compile(r"(?:\d+(?:h|m|min|s|ms|d))+|\d+-(?:minute|hour|day|second|step|line|node|core|week|month)s?")


def names_in(sentence: str, known: Collection[str]) -> list[str]:
    """Each as written. ``known`` are names in lower case that count although they look like plain words."""
    text = without_citations(sentence)
    found = [*BUILD.findall(text), *(f"#{number}" for number in NTH_BUILD.findall(text))]
    found += [quoted for quoted in QUOTED.findall(text) if _is_name(quoted)]
    found += COMMIT.findall(text)
    for match in IDENTIFIER.finditer(text):
        word = match[0].rstrip(".:,'").removesuffix("'s")
        if _is_identifier(word) or word.lower() in known or _is_capital(word, text, match.start()):
            found.append(word)
    return list(dict.fromkeys(found))


def stands_in(name: str, evidence: str) -> bool:
    """Whole, in any case; a shortened commit counts, and so do the parts of a path or of a joined word."""
    low = name.lower()
    before = "#" if low.startswith("#") else r"\w#"  # "acme/shop#42" holds #42
    if re.search(rf"(?<![{before}]){re.escape(low)}(?!\w)", evidence):
        return True
    if COMMIT.fullmatch(low):
        return re.search(rf"(?<![0-9a-f]){low}", evidence) is not None or _longer_commit(low, evidence)
    if percentile := PERCENTILE.fullmatch(low):
        return f"{percentile[1]}th percentile" in evidence
    if "#" in low[1:]:
        return all(stands_in(part, evidence) for part in (low.split("#")[0], "#" + low.split("#")[1]))
    if "/" in low:
        return all(stands_in(part, evidence) for part in low.split("/") if part)
    spaced = re.sub(r"[-_]", " ", low)
    return spaced != low and spaced in evidence


def _longer_commit(name: str, evidence: str) -> bool:
    return any(len(seen) >= 7 and name.startswith(seen) for seen in COMMIT.findall(evidence))


def _is_identifier(word: str) -> bool:
    low = word.lower()
    if re.fullmatch(SPOKEN_NAME, low):
        return False
    if low in claim_words().joined or TIME.fullmatch(low) or NUMBER_WORDS.fullmatch(low) or len(word) < 3:
        return False
    has_letter, has_digit = any(c.isalpha() for c in word), any(c.isdigit() for c in word)
    if has_letter and has_digit:
        return True
    if re.search(r"[_/:@]|\w\.\w", word):
        return has_letter
    if "-" in word:
        return low not in claim_words().joined
    return word not in claim_words().capitals and (word.isupper() or bool(re.search(r"[a-z][A-Z]", word)))


def _is_capital(word: str, text: str, start: int) -> bool:
    """A proper noun inside a sentence. The first word of a sentence or of a quotation is capital by itself."""
    if not (word[:1].isupper() and len(word) > 2) or word in claim_words().capitals:
        return False
    before = text[:start].rstrip()
    return bool(before) and before[-1] not in ".!?:;\"“'(-*•"


def _is_name(quoted: str) -> bool:
    return any(c.isalnum() for c in quoted)


def is_subject(name: str, sentence: str, evidence: str) -> bool:
    """False where the evidence knows the name only as the namespace or cluster of an object ("Deployment
    prod/checkout/cart", "workload cart in namespace checkout") and the sentence makes it the thing itself: neither
    "in checkout" nor together with cart."""
    low = name.lower()
    placed = [(path.rpartition("/")[2], path.split("/")[:-1]) for path in PLACE.findall(evidence)]
    placed += [(leaf, [place]) for leaf, place in SAID_PLACE.findall(evidence)]
    leaves = [leaf for leaf, places in placed if low in places]
    elsewhere = SAID_PLACE.sub(" ", PLACE.sub(" ", CLUSTER.sub(" ", evidence)))
    if not leaves or stands_in(low, elsewhere) or any(stands_in(leaf, sentence.lower()) for leaf in leaves):
        return True
    said = [match.start() for match in re.finditer(rf"(?<![\w/-]){re.escape(low)}(?![\w-])", sentence.lower())]
    return all(WITHIN.search(sentence[:start]) for start in said)


def is_denial(text: str) -> bool:
    """Whether it says that something is not known or not there."""
    return bool(claim_words().denial.search(text))


def is_measure(name: str) -> bool:
    """p95 and its like name a figure, not a thing that has figures."""
    return PERCENTILE.fullmatch(name.lower()) is not None


def is_contrast(name: str, text: str) -> bool:
    """ "on refunds, not on main": what is denied need not stand in the evidence."""
    return bool(
        re.search(rf"\b(?:not|never)(?: (?:on|in|of|by|from|with|for))? {re.escape(name)}(?!\w)", text, re.IGNORECASE)
    )


def denied_wholly(sentence: str) -> list[str]:
    """Of what it says that nothing at all is known: "nothing about the recommender was found"."""
    return [match["of"] for match in claim_words().nothing_of.finditer(sentence)]


def causal(sentence: str) -> bool:
    """Whether it says why something is so."""
    return bool(claim_words().causal.search(sentence))


def softened(before: str) -> float:
    """The tolerance of a number whose words before it say "about"."""
    found = re.search(rf"\b(?:{'|'.join(claim_words().about)})\s*(?:€|\$)?$", before.rstrip(), re.IGNORECASE)
    return claim_words().tolerance if found else 0.0


def bound(before: str) -> int:
    """1 where the words before a number say "more than", -1 for "less than", else 0."""
    for said, direction in ((claim_words().more_than, 1), (claim_words().less_than, -1)):
        if re.search(rf"\b(?:{'|'.join(said)})\s*(?:€|\$)?$", before.rstrip(), re.IGNORECASE):
            return direction
    return 0
