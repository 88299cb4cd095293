"""What a piece of a time is, before it is put together with the pieces beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from opscrew.answer.times.tokens import Clock
from opscrew.answer.times.wall_clock import Span

LAST = ("last", "past", "previous", "preceding", "recent", "prior")
JOINTS = ("to", "and", "until", "till", "through", "-", "–")
"""Between two times that are one range."""

CUES = ("since", "at", "@", "after", "around", "before", "until", "till", "by", "from", "ca", "circa", "about")
"""Before a time of day."""


@dataclass(frozen=True)
class Piece:
    """From token ``start`` to before token ``end``. ``hours`` is a clock time to another; ``week`` is the first day of
    a week that a weekday may stand beside. A piece with none of the others is a time that is no range to look at:
    "next week", "31 February"."""

    start: int = 0
    end: int = 0
    day: date | None = None
    weekday: int | None = None
    part: str = ""
    clock: Clock | None = None
    hours: tuple[Clock, Clock] | None = None
    span: Span | None = None
    week: date | None = None
    is_unsure: bool = False
    """Only a time where a day stands beside it: "9 to 11"."""
    goes_on: bool = False
    """Until now: "since two hours"."""

    @property
    def kind(self) -> str:
        """Of two pieces of one kind only one fits into a time."""
        if self.week is not None:
            return "week"
        kinds = ("day", "part", "clock", "hours", "span")
        return next((kind for kind in kinds if getattr(self, kind)), "none")
