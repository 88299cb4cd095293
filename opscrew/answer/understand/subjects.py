"""Finds what a question is about among the names that are known, and offers near misses for those that are not."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from opscrew.answer.understand.name_places import (
    cued_words,
    is_of_kind,
    is_ordinary,
    name_words,
    words_that_name,
    words_that_place,
)
from opscrew.model.subject import Subject

NEAR = 0.8
"""Likeness (difflib's ratio) from which a word may be a misspelt name: one letter wrong in five."""

NEAR_CUED = 0.5
"""The same for a word that stands where a name does: some that are far from it are better than none."""

STAND_IN = "thatone"

SHORTEST_MISSPELT = 4
"""Letters below which nearly every word is like some other."""

BUILD = re.compile(
    r"#(?P<hash>\d{1,7})\b|\b(?:build|pipeline|run)s?(?: number| no\.?| nr\.?)? (?P<number>\d{1,7})\b",
    re.IGNORECASE,
)
NARROWING = ("pipeline", "branch", "namespace", "cluster")
"""Kinds that say where, or which run of a thing, and not what."""

BUILD_BEHIND = re.compile(r"(?:'s)? (?P<number>\d{1,7})(?![\w.:%-])(?! (?!and\b|fail|pass|again|please)[a-z])")
""" "re-run shop 42", where no noun follows that the number counts."""

DENIED = re.compile(
    r"(?:(?:^|[,;.!]|\b(?:no|but|and|meant|mean|said))\s*not|\b(?:except|besides|other than|instead of|rather than))"
    r"(?: for)?(?: (?:in|on|of|the))*\s+$",
    re.IGNORECASE,
)
"""Before a name that is not meant: "not shop, payments"."""

WORD = re.compile(r"[A-Za-z0-9][\w./-]*[\w]|[A-Za-z0-9]")
VERB_AFTER = re.compile(r"\s+(?:for|through|in the logs?|the|my|our|all)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """``subjects`` as they come in the question. ``near`` maps an unknown word to the known names it resembles;
    ``assumed`` holds those words of it that resemble just one and were taken for it."""

    subjects: tuple[Subject, ...]
    near: dict[str, tuple[str, ...]]
    assumed: dict[str, str]
    denied: tuple[Subject, ...] = ()
    """Named to say that they are not meant."""
    wording: str = ""
    """The question with a stand-in for each name: a repository called "billing" is no question about a bill."""


class KnownNames:
    """Made once for all questions of a conversation: a big installation knows thousands of names, and a pattern for
    each of them takes seconds. Only those that may stand in a question are looked at closely."""

    def __init__(self, known: Iterable[Subject]) -> None:
        self.by_name = _by_name(list(known))
        self._squashed = {name: _squashed(name) for name in self.by_name}
        self._letters = {name: frozenset(name) for name in self.by_name}

    def in_question(self, question: str) -> list[str]:
        """The longest first."""
        text = _squashed(question)
        return [name for name, squashed in self._squashed.items() if squashed in text]

    def close_to(self, word: str, cutoff: float) -> list[str]:
        """The three that resemble it most."""
        letters, least = frozenset(word), cutoff * SHARED_LETTERS
        some = [
            name
            for name, those in self._letters.items()
            if 2 * min(len(word), len(name)) >= cutoff * (len(word) + len(name))
            and len(letters & those) >= least * len(letters)
        ]
        return difflib.get_close_matches(word, some, n=3, cutoff=cutoff)


SHARED_LETTERS = 0.6
"""Of a word's different letters, as a share of the likeness that is asked for; fewer never make it."""


def _squashed(text: str) -> str:
    return re.sub(r"[\s_-]", "", text.lower())


def find_subjects(question: str, known: KnownNames) -> Found:
    """Build numbers, known names in any spelling of case and hyphens, and misspelt ones."""
    by_name = known.by_name
    places: dict[int, Subject] = {}
    wording = question
    for spoken in known.in_question(question):
        match = _spoken(spoken, question)
        if match and _is_meant(spoken, by_name[spoken], question):
            subject = max(by_name[spoken], key=_preference)
            if not any(start <= match.start() < start + len(other.name) for start, other in places.items()):
                places[match.start()] = subject
                wording = wording.replace(match[0], STAND_IN)
    near, assumed = _misspelt(question, known)
    for word, name in assumed.items():
        places[question.lower().find(word)] = max(by_name[name.lower()], key=_preference)
    for word in near:
        wording = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", STAND_IN, wording, flags=re.IGNORECASE)
    denied = {start: one for start, one in places.items() if DENIED.search(question[:start])}
    places = {start: one for start, one in places.items() if start not in denied}
    builds = _builds(question, places)
    ordered = [places[start] for start in sorted(places)]
    return Found(tuple(dict.fromkeys((*ordered, *builds))), near, assumed, tuple(denied.values()), wording)


def spoken_names(question: str, names: Iterable[str]) -> set[str]:
    """Those of ``names`` that the question holds, in any spelling of case and hyphens; nothing is guessed here."""
    known = [Subject(system="any", kind="name", name=name) for name in sorted(set(names)) if name]
    found = find_subjects(question, KnownNames(known))
    return {one.name for one in found.subjects} - set(found.assumed.values())


def alternatives(subjects: Iterable[Subject]) -> list[list[Subject]]:
    """Things that a question names beside each other ("shop and payments") stand for each other; where they are, their
    branch and their build narrow that down. One list for each such group."""
    groups: dict[str, list[Subject]] = {}
    for one in subjects:
        groups.setdefault(one.kind if one.kind in NARROWING else "thing", []).append(one)
    return list(groups.values())


def label(subjects: Iterable[Subject]) -> str:
    """As people say it: "payments #12", "shop and payments main"."""
    return " ".join(" and ".join(one.name for one in group) for group in alternatives(subjects))


def repository_of(subjects: Iterable[Subject]) -> Subject | None:
    return next((one for one in subjects if one.kind == "repository"), None)


def build_of(subjects: Iterable[Subject]) -> int:
    """The build number that was named, else 0."""
    return next((int(one.name[1:]) for one in subjects if one.kind == "pipeline" and one.name[1:].isdecimal()), 0)


def branch_of(subjects: Iterable[Subject]) -> str:
    return next((one.name for one in subjects if one.kind == "branch"), "")


def _preference(subject: Subject) -> int:
    """Of several things with one name the one that people mean most."""
    kinds = ("Pod", "Job", "branch", "Deployment", "namespace", "Namespace", "repository")
    return kinds.index(subject.kind) if subject.kind in kinds else -1


def _by_name(known: Sequence[Subject]) -> dict[str, list[Subject]]:
    named: dict[str, list[Subject]] = {}
    for subject in known:
        if not subject.name.startswith("#"):
            named.setdefault(subject.name.lower(), []).append(subject)
    for subject in known:  # "feature/cart-fix" is said without its folder too
        tail = subject.name.lower().rpartition("/")[2]
        if "/" in subject.name and len(tail) >= SHORTEST_MISSPELT and re.search("[a-z]", tail) and tail not in named:
            named[tail] = [subject]
    # The longest first, so that "shop-api" is not found as "shop".
    return dict(sorted(named.items(), key=lambda item: -len(item[0])))


def _spoken(name: str, question: str) -> re.Match[str] | None:
    """ "payment-service" is also said "payment service"; a name that is a verb here ("search for …") does not count."""
    pattern = r"[\s_-]?".join(re.escape(part) for part in re.split(r"[-_]", name))
    for match in re.finditer(rf"(?<![\w.-]){pattern}(?![\w-]|\.\w|/)(?:'s)?", question, re.IGNORECASE):
        begins = re.fullmatch(r"(?:.*\b(?:please|you|to|and|or|let's))?\s*", question[: match.start()], re.IGNORECASE)
        if not (begins and VERB_AFTER.match(question, match.end())):
            return match
    return re.search(rf"(?<![\w.-])[\w.-]+/{pattern}(?![\w-])", question, re.IGNORECASE)


def _is_meant(name: str, subjects: Sequence[Subject], question: str) -> bool:
    """Clusters hold workloads and namespaces called "api", "build" and "5": such a word names one only where a
    name stands, and some only where its kind does. People choose the names of repositories more carefully."""
    if any(one.system != "kubernetes" for one in subjects):
        return True
    if name in name_words().never:
        return False
    if name in name_words().topics or name.isdecimal():
        return is_of_kind(question, name)
    if not is_ordinary(name):
        return True
    is_place = any(one.kind in NARROWING for one in subjects)
    return name in words_that_name(question) or (is_place and name in words_that_place(question))


def of_domain(subjects: Iterable[Subject], known: KnownNames, domain: str) -> tuple[Subject, ...]:
    """A repository and its workload often have one name: whichever the question's domain is about is meant. A build
    or a branch beside the name belongs to a repository."""
    given = tuple(subjects)
    if domain not in KINDS_OF or any(one.kind in ("pipeline", "branch") for one in given):
        return given
    return tuple(_of_domain(one, known.by_name.get(one.name.lower(), []), KINDS_OF[domain]) for one in given)


KINDS_OF = {
    "ci": ("repository",),
    "cluster": ("Deployment", "StatefulSet", "DaemonSet", "workload", "CronJob", "Pod", "Job", "Node"),
    "storage": ("PersistentVolumeClaim", "StatefulSet", "Deployment", "workload"),
}
"""What is meant by a name that several things have, by the domain of the question; the first kinds come first."""


def _of_domain(subject: Subject, same: Sequence[Subject], kinds: Sequence[str]) -> Subject:
    if subject.kind in NARROWING:
        return subject
    fitting = [one for one in same if one.kind in kinds]
    return min(fitting, key=lambda one: kinds.index(one.kind), default=subject)


def _builds(question: str, places: Mapping[int, Subject]) -> list[Subject]:
    repositories = [(start, one) for start, one in sorted(places.items()) if one.kind == "repository"]
    scope = f"{repositories[0][1].scope}/{repositories[0][1].name}" if repositories else ""
    numbers = [match["hash"] or match["number"] for match in BUILD.finditer(question)]
    if not numbers:
        behind = (BUILD_BEHIND.match(question, start + len(one.name)) for start, one in repositories)
        numbers = [match["number"] for match in behind if match]
    return [Subject(system="bitbucket", kind="pipeline", scope=scope, name=f"#{number}") for number in numbers]


def _misspelt(question: str, known: KnownNames) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    by_name = known.by_name
    spoken = [name for name in known.in_question(question) if _spoken(name, question)]
    near: dict[str, tuple[str, ...]] = {}
    assumed: dict[str, str] = {}
    for word in WORD.findall(question.lower()):
        word = word.removesuffix("'s").rpartition("/")[2]
        if len(word) < SHORTEST_MISSPELT or word in by_name or is_ordinary(word) or not re.search("[a-z]", word):
            continue
        alike = known.close_to(word, NEAR)
        if alike and not set(alike) & set(spoken):
            near[word] = tuple(by_name[name][0].name for name in alike)
            meant = [name for name in alike if _may_mean(word, name)]
            if len(meant) == 1:
                assumed[word] = by_name[meant[0]][0].name
    for word in cued_words(question):
        if word not in near and word not in by_name and not _part_of(word, spoken):
            near[word] = tuple(by_name[name][0].name for name in known.close_to(word, NEAR_CUED))
    return near, assumed


def _may_mean(word: str, name: str) -> bool:
    """A slip of letters, not of numbers: node-8 is another one than node-7."""
    return re.findall(r"\d+", word) == re.findall(r"\d+", name)


def _part_of(word: str, spoken: Sequence[str]) -> bool:
    return any(word in re.split(r"[-_./]", name) or name.endswith(f"/{word}") for name in spoken)
