"""Puts what is told into words (``wording.yaml``): short, the object named, and what to do next."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from opscrew.model.finding import Severity
from opscrew.notify.events import What
from opscrew.notify.rules import rules
from opscrew.reading_time import minute
from opscrew.redaction import redact
from opscrew.strict_yaml import load_strictly

WORDING_FILE = Path(__file__).with_name("wording.yaml")

MOST_LINES = 10
LONGEST_LINE = 300
LONGEST_TITLE = 150

SUMMARIES = (What.START, What.DIGEST)

FIELDS = frozenset({"severity", "title", "subject", "cause", "next_step", "id", "url", "age", "note"})

# Names come from outside, and chats read some of them as orders: `@everyone` rings every phone. A sign of no width
# between keeps them readable and makes them no order. Slack's `<!here>` and `<@U123>` likewise.
_MENTION = re.compile(r"@(?=(?:everyone|here|channel|all|team)\b)|<(?=[!@#])", re.IGNORECASE)
_UNSEEN = "\u200b"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Single(_Part):
    title: str
    lines: tuple[str, ...]

    @field_validator("title", "lines")
    @classmethod
    def _fields_are_known(cls, value: Any) -> Any:
        for text in [value] if isinstance(value, str) else value:
            unknown = {name for _, name, _, _ in Formatter().parse(text) if name} - FIELDS
            if unknown:
                raise ValueError(f"there is no field {min(unknown)}")
        return value


class Several(_Part):
    title: str
    line: str
    plain_line: str
    waiting_line: str
    more: str
    next: str


class Word(_Part):
    word: str
    counted: str


class Titled(_Part):
    title: str
    lines: tuple[str, ...]
    next: str = ""


class Digest(_Part):
    title: str
    held: str
    nothing_held: str
    open: str
    nothing_open: str
    next: str


class Open(_Part):
    counted: str
    nothing: str


class Wording(_Part):
    single: Mapping[What, Single]
    several: Several
    words: Mapping[What, Word]
    start: Titled
    digest: Digest
    open: Open
    uncertain: str
    test: Titled

    @model_validator(mode="after")
    def _words_for_everything(self) -> Wording:
        for what in What:
            if what not in SUMMARIES and not (what in self.single and what in self.words):
                raise ValueError(f"single and words need {what}")
        return self


@cache
def wording() -> Wording:
    """Raises ``UsageError`` for a file that was edited wrongly."""
    return load_strictly(WORDING_FILE, Wording)


@dataclass(frozen=True)
class Told:
    """One row of the outbox, as far as it is put into words."""

    about: str
    what: What
    severity: Severity
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Text:
    """``severity`` is the gravest of what is told; ``good`` where all of it is good news."""

    title: str
    lines: tuple[str, ...]
    severity: Severity
    good: bool = False


def compose(rows: Sequence[Told], uncertain: str = "") -> Text:
    """One message for all of ``rows``, of which one may be the start or the digest of the channel. ``uncertain`` is a
    sentence about an earlier message, or empty."""
    # A digest that could not be sent for a day is overtaken by the next.
    special = next((row for row in reversed(rows) if row.what in SUMMARIES), None)
    events = _last_words([row for row in rows if row.what not in SUMMARIES])
    if special is None and len(events) == 1:
        title, lines = _single(events[0])
    elif special is None:
        title, lines = _several(events)
    else:
        make = _digest if special.what is What.DIGEST else _start
        title, lines = make(special, events)
    severity = max((row.severity for row in rows), key=lambda one: one.rank)
    good = all(row.what in (What.FIXED, What.SUCCEEDED) for row in rows)
    return _fit(title, [uncertain, *lines], severity, good=good)


def uncertain_before(title: str, at: Any) -> str:
    """What the next message says of one that may not have arrived."""
    return wording().uncertain.format(at=minute(at), title=title)


def trial_text(channel: str) -> Text:
    """The message of `crew notify test`."""
    words = wording().test
    return _fit(words.title, [line.format(channel=channel) for line in words.lines], Severity.INFO, good=True)


def counted_open(counts: Mapping[str, int]) -> str:
    """ "2 critical, 3 warnings, 0 notes", or the word for none."""
    words = wording().open
    return words.counted.format(**counts) if any(counts.values()) else words.nothing


def _single(row: Told) -> tuple[str, list[str]]:
    words = wording().single[row.what]
    facts = {name: str(row.facts.get(name, "")) for name in FIELDS} | {"severity": row.severity.value}
    return words.title.format(**facts), [line.format(**facts) for line in words.lines if _says_something(line, facts)]


def _several(rows: Sequence[Told]) -> tuple[str, list[str]]:
    words = wording().several
    return words.title.format(count=f"{len(rows):,}", counted=_counted(rows)), [*_named(rows), words.next]


def _start(row: Told, events: Sequence[Told]) -> tuple[str, list[str]]:
    words = wording().start
    lines = [line.format(open=counted_open(row.facts["counts"])) for line in words.lines]
    named = [_line_of(told) for told in _top(row)]
    return words.title, [*lines, *(_named(events, 2) if events else []), *named, words.next]


def _digest(row: Told, events: Sequence[Told]) -> tuple[str, list[str]]:
    words = wording().digest
    counts: Mapping[str, int] = row.facts["counts"]
    room = rules().most_named
    held = [words.held.format(counted=_counted(events)), *_named(events, 3)] if events else [words.nothing_held]
    standing = [told for told in _top(row) if told.about not in {one.about for one in events}]
    named = [_line_of(told) for told in standing[: room - min(len(events), 3)]]
    open_ = words.open.format(open=counted_open(counts)) if any(counts.values()) else words.nothing_open
    title = words.title.format(day=row.facts["day"], open=sum(counts.values()))
    return title, [*held, open_, *named, words.next]


def _top(row: Told) -> list[Told]:
    """The gravest open findings that the start and the digest name."""
    return [Told(one["id"], What.NEW, Severity(one["severity"]), one) for one in row.facts["top"]]


def _named(rows: Sequence[Told], most: int = 0) -> list[str]:
    most = most or rules().most_named
    ordered = sorted(rows, key=lambda row: (row.what is What.FIXED, -row.severity.rank, row.what.rank))
    rest = len(ordered) - most
    more = [wording().several.more.format(count=f"{rest:,}")] if rest > 0 else []
    return [*(_line_of(row, listed=True) for row in ordered[:most]), *more]


def _line_of(row: Told, *, listed: bool = False) -> str:
    words = wording().several
    facts = {name: str(row.facts.get(name, "")) for name in FIELDS} | {"severity": row.severity.value}
    if not listed:
        return f"• {facts['severity']}: {facts['title']}, {facts['subject']}"
    if row.what is What.WAITING:
        pattern = words.waiting_line
    else:
        pattern = words.line if row.what in (What.NEW, What.WORSE, What.OVERDUE, What.FLAPPING) else words.plain_line
    return pattern.format(word=wording().words[row.what].word, **facts)


def _counted(rows: Sequence[Told]) -> str:
    counts = Counter(row.what for row in rows)
    critical = sum(1 for row in rows if row.what in (What.NEW, What.WORSE) and row.severity is Severity.CRITICAL)
    told = [wording().words[what].counted.format(count=f"{counts[what]:,}") for what in What if counts[what]]
    return ", ".join(told) + (f"; {critical:,} critical" if critical else "")


def _last_words(rows: Sequence[Told]) -> list[Told]:
    """Of one thing, what was told last: in one message nobody wants to read that it came and that it went."""
    return list({row.about: row for row in rows}.values())


def _says_something(line: str, facts: Mapping[str, str]) -> bool:
    fields = [name for _, name, _, _ in Formatter().parse(line) if name]
    return not fields or any(facts[name] for name in fields)


def _fit(title: str, lines: Sequence[str], severity: Severity, *, good: bool) -> Text:
    plain = [_harmless(line, LONGEST_LINE) for line in lines if line]
    if len(plain) > MOST_LINES - 1:
        plain = [*plain[: MOST_LINES - 2], plain[-1]]
    return Text(_harmless(title, LONGEST_TITLE), tuple(plain), severity, good)


def _harmless(text: str, longest: int) -> str:
    """On one line, without secrets and without orders to the chat."""
    clean = redact(" ".join(text.split()))
    clean = clean if len(clean) <= longest else clean[: longest - 1] + "…"
    return _MENTION.sub(lambda match: match[0] + _UNSEEN, clean)
