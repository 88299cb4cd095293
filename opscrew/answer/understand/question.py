"""From the words of a question to intent, subjects and time range, by rules alone.

The conversation is read again from its questions, oldest first: what a follow-up leans on is then always what the
same rules made of the earlier ones, and nothing has to be stored for it but the questions themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo

from opscrew.answer.times.ranges import TimeRange, earlier, find_range
from opscrew.answer.understand import follow_ups
from opscrew.answer.understand.intents import Guess, guess, intents
from opscrew.answer.understand.name_places import ordinary_words
from opscrew.answer.understand.subjects import NARROWING, Found, KnownNames, build_of, find_subjects, label, of_domain
from opscrew.answer.understand.wording import is_of_our_field, plain
from opscrew.model.subject import Subject

TURNS_READ = 12
"""How far back a follow-up may lean. People lean on the last question, seldom on the third before."""

FALLBACK = "open_findings"
"""What is answered where nothing is recognised but it is not out of field either: the present state never hurts."""

OF_SUBJECTS = {"bitbucket": "pipeline_status", "kubernetes": "cluster_health"}
"""What is answered where a question says no more than a name: how that thing is."""

ANY_SYSTEM = ("changes", "metrics", "logs")
"""Intents that hold of repositories and of workloads alike."""

OUT_OF_FIELD = "out_of_field"


@dataclass(frozen=True)
class Asked:
    """An earlier question. ``intent`` is what it was answered as, where a model had helped to understand it."""

    question: str
    at: datetime
    intent: str = ""


@dataclass(frozen=True)
class Understanding:
    """``range`` is None where no time was named or carried over. ``sure`` is False where a model may be asked to
    choose the intent. ``near`` and ``assumed``: see ``subjects.Found``."""

    intent: str
    sure: bool
    subjects: tuple[Subject, ...] = ()
    range: TimeRange | None = None
    is_follow_up: bool = False
    near: tuple[tuple[str, tuple[str, ...]], ...] = ()
    assumed: tuple[tuple[str, str], ...] = ()
    named: tuple[Subject, ...] = ()
    """The things that the conversation has named so far, in order, for "the second one"."""
    is_unclear: bool = False
    """It picks one of several things, and cannot be told which."""

    @property
    def subject(self) -> str:
        return label(self.subjects)

    @property
    def role(self) -> str:
        return intents()[self.intent].role


def understand(
    question: str, known: Sequence[Subject], now: datetime, zone: tzinfo, before: Sequence[Asked] = ()
) -> Understanding:
    """``before`` holds the questions of the conversation, oldest first."""
    names = KnownNames(known)
    previous: Understanding | None = None
    for asked in before[-TURNS_READ:]:
        read = _read(asked.question, names, asked.at, zone, previous)
        if asked.intent in intents():
            read = replace(read, intent=asked.intent)
        if previous is None or intents()[read.intent].collectors:  # nobody asks on about "thanks"
            previous = read
    return _read(question, names, now, zone, previous)


def asks_the_same(question: str, other: str) -> bool:
    """Whether two questions say the same in nearly the same words."""
    first, second = (set(re.findall(r"[a-z0-9#]+", plain(one).lower())) - LINKS for one in (question, other))
    return len(first & second) >= SAME_SHARE * len(first | second)


def span_of(understanding: Understanding, now: datetime) -> tuple[datetime | None, datetime]:
    """Where to look: the named range, else what the intent usually means. A start of None is the present state."""
    named = understanding.range
    if named is not None and not named.is_now:
        return named.start, named.end
    hours = intents()[understanding.intent].hours
    return (now - timedelta(hours=hours) if hours and named is None else None), now


LINKS = {"and", "but", "so", "again", "please", "the", "a", "now"}
SAME_SHARE = 0.75
"""Of the words of both that both must have."""

LONGEST_QUESTION = 600
"""Characters that are read. What somebody asks stands at the beginning; a pasted log behind it is no wording."""


def _read(
    question: str, known: KnownNames, now: datetime, zone: tzinfo, previous: Understanding | None
) -> Understanding:
    found = find_subjects(question[:LONGEST_QUESTION], known)
    words = plain(found.wording, ordinary_words())
    span = find_range(words, now, zone)
    guessed = guess(words)
    intent, sure = guessed.name, guessed.sure
    subjects, leaning, is_unclear = found.subjects, False, False
    if previous is not None:
        leaning = _is_follow_up(words, guessed, bool(found.subjects or span))
        if leaning:
            intent, sure = _carried(words, guessed, previous)
            unit = follow_ups.step_back(words)
            if unit and previous.range:
                span = earlier(previous.range, unit, now, zone)
            span = span or previous.range
        subjects, is_unclear = _subjects(words, found, previous, leaning=leaning, intent=intent)
    if intent and sure:
        subjects = of_domain(subjects, known, intents()[intent].domain)
    intent = _fitting(intent, subjects, sure=sure)
    named = (*(previous.named if previous else ()), *_things(found.subjects))
    return Understanding(
        intent=intent or _without_wording(words, subjects, is_known_field=previous is not None or _names_one(found)),
        sure=sure,
        subjects=subjects,
        range=span,
        is_follow_up=leaning or subjects != found.subjects,
        near=tuple(found.near.items()),
        assumed=tuple(found.assumed.items()),
        named=tuple(dict.fromkeys(named)),
        is_unclear=is_unclear,
    )


def _fitting(intent: str, subjects: Sequence[Subject], *, sure: bool) -> str:
    """An intent of another domain than the things have gives way: "why does cart crash" asks nothing of a build."""
    things = _things(subjects)
    systems = {one.system for one in things}
    if not intent or len(systems) != 1 or not systems <= OF_SUBJECTS.keys():
        return intent
    of_subject, domain = OF_SUBJECTS[systems.pop()], intents()[intent].domain
    is_odd = domain in ("ci", "cluster") and domain != intents()[of_subject].domain and intent not in ANY_SYSTEM
    return of_subject if is_odd and (not sure or domain == "ci") else intent


def _names_one(found: Found) -> bool:
    """Whether it holds an unknown word that looks like a name of ours: image-resizer, node-7."""
    return any(re.search(r"[a-z]-[a-z]|\d", word) for word in found.near)


def _without_wording(words: str, subjects: Sequence[Subject], *, is_known_field: bool) -> str:
    """Where no wording speaks for an intent: by what it is about, else whether it is about our field at all."""
    of_subject = next((OF_SUBJECTS[one.system] for one in subjects if one.system in OF_SUBJECTS), "")
    if of_subject:
        return of_subject
    is_ours = is_known_field or is_of_our_field(words) or len(words.split()) < LEAST_FOREIGN
    return FALLBACK if is_ours else OUT_OF_FIELD


LEAST_FOREIGN = 3
"""Words of a question before it is told to be of another field; fewer are hardly a question."""


def _is_follow_up(words: str, guessed: Guess, says_something: bool) -> bool:
    if follow_ups.asks_why(words) or follow_ups.leans(words):
        return True
    short = len(words.split()) <= follow_ups.LONGEST_LEANING
    return short and not guessed.sure and (says_something or follow_ups.points_back(words))


def _carried(words: str, guessed: Guess, previous: Understanding) -> tuple[str, bool]:
    domain = intents()[previous.intent].domain
    if follow_ups.asks_why(words):
        return follow_ups.CAUSE_IN.get(domain, previous.intent), True
    if guessed.sure and guessed.name == "logs" and domain == "ci":
        return "failure_cause", True  # the log of a build
    if guessed.sure and guessed.name not in ("help", OUT_OF_FIELD) and not _only_topic(words, guessed):
        return guessed.name, True
    return previous.intent, True


def _only_topic(words: str, guessed: Guess) -> bool:
    """ "and the builds of payments?" names a topic, no new question."""
    return follow_ups.adds_on(words) and intents()[guessed.name].score(words) < 3


def _subjects(
    words: str, said: Found, previous: Understanding, *, leaning: bool, intent: str
) -> tuple[tuple[Subject, ...], bool]:
    """What a question is about that may lean on the one before, and whether that cannot be told."""
    found, before = said.subjects, tuple(one for one in previous.subjects if one not in said.denied)
    if intent == "act" and not _things(found) and not follow_ups.names_nothing(said.wording):
        return found, False  # a word may name what nobody here knows, and another thing is not acted on instead
    is_of_unknown = any(word not in said.assumed for word in said.near)
    if not found and (is_of_unknown or follow_ups.lets_go(words)):
        return (), False
    if not found:
        picked = follow_ups.chosen(words, _things(previous.subjects), previous.named)
        if picked is not None:
            return picked or before, not picked
    build = follow_ups.other_build(words, build_of(before)) if build_of(before) else 0
    if not found and build:
        found = (Subject(system="bitbucket", kind="pipeline", scope="", name=f"#{build}"),)
    if found and not _things(found) and (leaning or all(one.kind in ("pipeline", "branch") for one in found)):
        return _narrowed(found, before), False
    wants = leaning or follow_ups.points_back(words) or intent == "act"
    return (found or before if wants else found), False


def _narrowed(found: Sequence[Subject], before: Sequence[Subject]) -> tuple[Subject, ...]:
    """The things of before in another place, on another branch, in another build. A build alone belongs to the
    repository before; build and branch exclude each other."""
    replaced = {one.kind for one in found}
    if replaced & {"pipeline", "branch"}:
        replaced |= {"pipeline", "branch"}
        before = [one for one in before if one.system == "bitbucket"]
    return (*(one for one in before if one.kind not in replaced), *found)


def _things(subjects: Iterable[Subject]) -> tuple[Subject, ...]:
    """Without the places, branches and builds that only narrow down what is meant."""
    return tuple(one for one in subjects if one.kind not in NARROWING)
