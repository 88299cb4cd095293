"""From the words of a question to intent, subjects and time range, by rules alone.

The conversation is read again from its questions, oldest first: what a follow-up leans on is then always what the
same rules made of the earlier ones, and nothing has to be stored for it but the questions themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo

from opscrew.answer import follow_ups
from opscrew.answer.intents import Guess, guess, intents
from opscrew.answer.subjects import find_subjects, label
from opscrew.answer.times.ranges import TimeRange, earlier, find_range
from opscrew.model.subject import Subject

TURNS_READ = 12
"""How far back a follow-up may lean. People lean on the last question, seldom on the third before."""

FALLBACK = "open_findings"
"""What is answered where nothing is recognised but it is not out of field either: the present state never hurts."""


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
    previous: Understanding | None = None
    for asked in before[-TURNS_READ:]:
        previous = _read(asked.question, known, asked.at, zone, previous)
        if asked.intent in intents():
            previous = replace(previous, intent=asked.intent)
    return _read(question, known, now, zone, previous)


def span_of(understanding: Understanding, now: datetime) -> tuple[datetime | None, datetime]:
    """Where to look: the named range, else what the intent usually means. A start of None is the present state."""
    named = understanding.range
    if named is not None and not named.is_now:
        return named.start, named.end
    hours = intents()[understanding.intent].hours
    return (now - timedelta(hours=hours) if hours and named is None else None), now


LONGEST_QUESTION = 600
"""Characters that are read. What somebody asks stands at the beginning; a pasted log behind it is no wording."""


def _read(
    question: str, known: Sequence[Subject], now: datetime, zone: tzinfo, previous: Understanding | None
) -> Understanding:
    question = question[:LONGEST_QUESTION]
    found = find_subjects(question, known)
    span = find_range(question, now, zone)
    guessed = guess(found.wording)
    leaning = previous is not None and _is_follow_up(question, guessed, bool(found.subjects or span))
    intent, sure = guessed.name, guessed.sure
    subjects = found.subjects
    if previous is not None:
        subjects = _subjects(question, subjects, previous, leaning=leaning, intent=intent)
        if leaning:
            intent, sure = _carried(question, guessed, previous)
            unit = follow_ups.step_back(question)
            if unit and previous.range:
                span = earlier(previous.range, unit, now, zone)
            span = span or previous.range
    if not intent and (subjects or span):
        intent = "pipeline_status" if any(one.system == "bitbucket" for one in subjects) else FALLBACK
    return Understanding(
        intent=intent or FALLBACK,
        sure=sure,
        subjects=subjects,
        range=span,
        is_follow_up=leaning or subjects != found.subjects,
        near=tuple(found.near.items()),
        assumed=tuple(found.assumed.items()),
    )


def _is_follow_up(question: str, guessed: Guess, says_something: bool) -> bool:
    if follow_ups.asks_why(question) or follow_ups.leans(question):
        return True
    short = len(question.split()) <= follow_ups.LONGEST_LEANING
    return short and not guessed.sure and (says_something or follow_ups.points_back(question))


def _carried(question: str, guessed: Guess, previous: Understanding) -> tuple[str, bool]:
    if follow_ups.asks_why(question):
        return follow_ups.CAUSE_IN.get(intents()[previous.intent].domain, previous.intent), True
    if guessed.sure and guessed.name not in ("help",) and not _only_topic(question, guessed):
        return guessed.name, True
    return previous.intent, True


def _only_topic(question: str, guessed: Guess) -> bool:
    """ "and the builds of payments?" names a topic, no new question."""
    return follow_ups.adds_on(question) and intents()[guessed.name].score(question) < 3


def _subjects(
    question: str, found: tuple[Subject, ...], previous: Understanding, *, leaning: bool, intent: str
) -> tuple[Subject, ...]:
    """A build number alone belongs to the repository before; "it" and "re-run it" mean the subject before."""
    earlier_ones = previous.subjects
    if found and all(one.kind in ("pipeline", "branch") for one in found):
        repository = next((one for one in earlier_ones if one.kind == "repository"), None)
        return (repository, *found) if repository else found
    if found:
        return found
    wants = leaning or follow_ups.points_back(question) or intent == "act"
    return earlier_ones if wants else ()
