"""What a judgement rests on, and what that allows: the one place that keeps silence apart from health.

Whoever looks says what the look could not measure, as gaps. From there on everything follows by rule:

- a finding that a look no longer sees is over only where no gap hides its subject (``is_hidden``);
- a summary counts and names what was not measured (``in_words``);
- "all clear" needs a look without any gap (``Coverage.is_whole``).

A source that answers nothing, refuses, answers in part or late, or holds another tenant's data differs in its words
alone. What is known to be gone is no gap: a volume that was deleted needs no figures.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from opscrew.model.subject import Subject

REST = "rests_on"
"""The key in a finding's details under which a judge names the kinds of objects that it looked at."""

NAMED = 3
"""Subjects of one gap that a sentence names; the others are counted."""


class Basis(StrEnum):
    """What a look rests on."""

    MEASURED = "measured"
    PARTLY = "partly measured"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Gap:
    """Something that was not measured.

    ``what`` says of what kind ("mounted volumes"), ``why`` gives the reason in a few words. ``names`` are those that
    people should read, and ``total`` is how many of the kind there are, measured or not (0: not counted).

    It hides the findings about ``subjects`` (keys as of ``Subject.key``) and those that rest on ``kinds`` of objects;
    a gap with neither hides everything that its source looks at. ``basis`` is ``PARTLY`` where some of it was seen and
    no one knows how much is missing. ``is_expected`` marks what is never measured by its
    nature, such as a volume that nobody mounts: it hides findings, and no summary needs to speak of it.
    """

    what: str
    why: str
    names: tuple[str, ...] = ()
    total: int = 0
    subjects: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    basis: Basis = Basis.NOT_MEASURED
    is_expected: bool = False

    def hides(self, subject: Subject, rests_on: Collection[str] = ()) -> bool:
        """Whether nothing can be said of that subject. ``rests_on`` are the kinds of objects that its finding was
        judged by, beside its own."""
        if not self.subjects and not self.kinds:
            return True
        return subject.key in self.subjects or not self.kinds.isdisjoint({subject.kind, *rests_on})

    def __str__(self) -> str:
        of = f" of {self.total}" if self.total else ""
        count = f"{len(self.names)}{of} " if self.names else ""
        named = f" ({_listed(self.names)})" if self.names else ""
        return f"{count}{self.what} {self.basis}{named}: {self.why}"


@dataclass(frozen=True)
class Coverage:
    """What one look measured: how many subjects, and what it could not."""

    measured: int = 0
    gaps: tuple[Gap, ...] = ()

    @property
    def told(self) -> tuple[Gap, ...]:
        """The gaps that summaries name."""
        return tuple(gap for gap in self.gaps if not gap.is_expected)

    @property
    def is_whole(self) -> bool:
        """Whether everything was measured that can be."""
        return not self.told

    @property
    def basis(self) -> Basis:
        if self.is_whole:
            return Basis.MEASURED
        return Basis.PARTLY if self.measured else Basis.NOT_MEASURED


def is_hidden(subject: Subject, gaps: Iterable[Gap], rests_on: Collection[str] = ()) -> bool:
    """Whether a look with these gaps says nothing about the subject, so that a finding about it stays as it was."""
    return any(gap.hides(subject, rests_on) for gap in gaps)


def in_words(gaps: Iterable[Gap]) -> str:
    """The gaps that people should know of, in one line; "" where there are none."""
    return "; ".join(dict.fromkeys(str(gap) for gap in gaps if not gap.is_expected))


def _listed(names: Collection[str]) -> str:
    first, more = list(names)[:NAMED], len(names) - NAMED
    return ", ".join(first) + (f" and {more} more" if more > 0 else "")
