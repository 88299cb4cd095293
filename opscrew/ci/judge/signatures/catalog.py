"""Loads, checks and looks up signatures. A mistake in the data is an error with file and id, never a silent gap."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import re2

from opscrew.strict_yaml import read_strictly

FOLDER = Path(__file__).parent

FILES = (
    "genuine_code.yaml",
    "genuine_checks.yaml",
    "genuine_setup.yaml",
    "undecided.yaml",
    "persistent.yaml",
    "transient_system.yaml",
    "transient_python_and_node.yaml",
    "transient_languages.yaml",
    "transient_services.yaml",
    "transient_runner.yaml",
    "transient_downloads.yaml",
)
"""Read in this order; among equals the earlier signature is named."""

PATTERNS_PER_SET = 32
"""RE2 builds its automata while it reads. Several small ones are built in two thirds of the time of one for all
patterns, which is most of the time that a single log costs; once built, they cost little more."""

SET_MEMORY_BYTES = 64 << 20
"""Ceiling for an automaton. It grows on demand; the usual 8 MB would make it forget states, or give up."""

LINES_REMEMBERED = 256
"""Whoever explains a log looks its best lines up, and whoever judges the failure looks up the same ones."""


class Verdict(StrEnum):
    """What a failure means for a re-run. Only ``transient`` is ever re-run."""

    TRANSIENT = "transient"
    GENUINE = "genuine"
    INFRA_PERSISTENT = "infra_persistent"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Condition:
    """Some expressions of which any may match."""

    searches: tuple[Callable[[str], Any], ...]

    def __call__(self, text: str) -> bool:
        return any(search(text) for search in self.searches)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where each expression that matches does so first."""
        return [found.span() for search in self.searches if (found := search(text))]


@dataclass(frozen=True)
class Signature:
    """One kind of message, as written in the files.

    ``also`` must match the same line and ``unless`` must not; ``near`` must match that line or one close to it and
    ``near_unless`` must not; ``command`` may match the command that printed it instead of ``near``. ``consequence``
    marks what a failed download also leaves behind; ``yields`` marks what counts only if the same line does not go on
    to name a broken connection as its cause; ``decisive`` marks trouble after which nothing that the log says counts
    any more, such as a lost runner. ``local`` says that addresses of this machine do not disqualify the line,
    ``private_host`` that it must name a host which is no public service's. ``next_step`` is what a person does about
    it, where the finding's own is too general. ``confidence`` is the author's, between 0 and 1.
    """

    id: str
    verdict: Verdict
    confidence: float
    why: str
    patterns: tuple[str, ...]
    examples: tuple[str, ...]
    counter_examples: tuple[str, ...] = ()
    also: Condition | None = None
    near: Condition | None = None
    command: Condition | None = None
    unless: Condition | None = None
    near_unless: Condition | None = None
    consequence: bool = False
    yields: bool = False
    decisive: bool = False
    local: bool = False
    private_host: bool = False
    next_step: str = ""


CONDITIONS = ("also", "near", "command", "unless", "near_unless")
LISTS = ("patterns", "examples", "counter_examples")
REQUIRED = {"id", "confidence", "why", "patterns", "examples"}
ALLOWED = {field.name for field in fields(Signature)} - {"verdict"}


@dataclass(frozen=True)
class Shared:
    """Fragments that say something of every line. ``answer`` is what a server said, and so no broken connection."""

    local_address: Condition
    transport_failure: Condition
    answer: Condition
    zero_count: Any
    tried_again: Condition
    went_through: Condition

    def cause_follows(self, text: str, end: int) -> bool:
        """Whether behind position ``end`` the line goes on to a broken connection, which is then what it is about."""
        return self.transport_failure(text[end:])


class Catalog:
    """All signatures, and automata that tell in a few passes which of them a line may be."""

    def __init__(self, signatures: tuple[Signature, ...], shared: Shared) -> None:
        self.signatures = signatures
        self.shared = shared
        owned = [(index, pattern) for index, signature in enumerate(signatures) for pattern in signature.patterns]
        starts = range(0, len(owned), PATTERNS_PER_SET)
        self._sets = [self._compiled_set(owned[start : start + PATTERNS_PER_SET]) for start in starts]
        self._remembered = lru_cache(LINES_REMEMBERED)(self._matching)

    def candidates(self, text: str) -> tuple[Signature, ...]:
        """Signatures with a pattern that matches ``text``, in the catalogue's order; conditions are not checked.

        "0 failed" is no failure: counts of zero are not looked at.
        """
        return self._remembered(text)

    def _matching(self, text: str) -> tuple[Signature, ...]:
        if "0" in text or "no " in text.lower():
            text = self.shared.zero_count.sub(" ", text)
        found = {owners[hit] for automaton, owners in self._sets for hit in automaton.Match(text) or ()}
        return tuple(self.signatures[index] for index in sorted(found))

    def spans(self, signature: Signature, text: str) -> list[tuple[int, int]]:
        """Where the signature's own patterns match."""
        return [found.span() for pattern in signature.patterns if (found := _compiled(pattern).search(text))]

    def _compiled_set(self, owned: list[tuple[int, str]]) -> tuple[Any, list[int]]:
        automaton = re2.Set.SearchSet(_options())
        for index, pattern in owned:
            try:
                automaton.Add(pattern)
            except re2.error as problem:
                name = self.signatures[index].id
                raise ValueError(f"{name}: not a regular expression of RE2: {pattern}") from problem
        automaton.Compile()
        return automaton, [index for index, _ in owned]


@cache
def catalog() -> Catalog:
    """The project's own catalogue, read once. Raises ``ValueError`` naming file and id of a mistake."""
    return read_catalog(FOLDER)


def read_catalog(folder: Path) -> Catalog:
    """Reads every file of ``FILES`` in ``folder``."""
    fragments: dict[str, list[str]] = read_strictly(folder / "fragments.yaml")[0]
    found: list[Signature] = []
    for name in FILES:
        content = read_strictly(folder / name)[0]
        for entry in content["signatures"]:
            found.append(_signature(entry, Verdict(content["verdict"]), fragments, name))
    names = [signature.id for signature in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"signature ids are used twice: {', '.join(twice)}")
    return Catalog(tuple(found), _shared(fragments))


def _shared(fragments: dict[str, list[str]]) -> Shared:
    return Shared(
        local_address=_condition("{{local_address}}", fragments),
        transport_failure=_condition("{{transport_failure}}", fragments),
        answer=_condition("{{answer}}", fragments),
        zero_count=_compiled("|".join(fragments["zero_count"])),
        tried_again=_condition("{{tried_again}}", fragments),
        went_through=_condition("{{went_through}}", fragments),
    )


def _signature(entry: dict[str, Any], verdict: Verdict, fragments: dict[str, list[str]], file: str) -> Signature:
    where = f"{file}: {entry.get('id', '(no id)')}"
    unknown, missing = set(entry) - ALLOWED, REQUIRED - set(entry)
    if unknown or missing:
        raise ValueError(f"{where}: unknown keys {sorted(unknown)}, missing keys {sorted(missing)}")
    if not 0 < entry["confidence"] < 1:
        raise ValueError(f"{where}: confidence must lie between 0 and 1")
    values = dict(entry, verdict=verdict)
    values.update({name: tuple(entry[name]) for name in LISTS if name in entry})
    try:
        values["patterns"] = tuple(piece for written in entry["patterns"] for piece in _pieces(written, fragments))
        values.update({name: _condition(entry[name], fragments) for name in CONDITIONS if name in entry})
    except KeyError as problem:
        raise ValueError(f"{where}: there is no fragment {problem}") from problem
    except re2.error as problem:
        raise ValueError(f"{where}: not a regular expression of RE2: {_words(problem)}") from problem
    return Signature(**values)


def _condition(written: str | list[str], fragments: dict[str, list[str]]) -> Condition:
    entries = [written] if isinstance(written, str) else written
    return Condition(tuple(_compiled(piece).search for entry in entries for piece in _pieces(entry, fragments)))


def _pieces(written: str, fragments: dict[str, list[str]]) -> Iterable[str]:
    """``{{name}}`` alone stands for the fragment's expressions; anything else is an expression itself."""
    if written.startswith("{{") and written.endswith("}}"):
        return ["|".join(fragments[written[2:-2]])]
    return [written]


@cache
def _compiled(pattern: str) -> Any:
    """Shared, since the large fragments serve many signatures. ``^`` and ``$`` are a line's: some look at several."""
    return re2.compile(f"(?m){pattern}", _options())


def _options() -> Any:
    """Letter case is ignored, as every pattern of the files is meant."""
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = SET_MEMORY_BYTES
    return options


def _words(problem: Exception) -> str:
    """RE2 hands its complaint over as bytes."""
    first = problem.args[0] if problem.args else problem
    return first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)
