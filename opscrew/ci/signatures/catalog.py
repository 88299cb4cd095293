"""Loads, checks and looks up signatures. A mistake in the data is an error with file and id, never a silent gap."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import re2
import yaml

FOLDER = Path(__file__).parent

FILES = (
    "genuine_code.yaml",
    "genuine_checks.yaml",
    "genuine_setup.yaml",
    "undecided.yaml",
    "persistent.yaml",
    "transient_system.yaml",
    "transient_packages.yaml",
    "transient_services.yaml",
)
"""Read in this order; among equals the earlier signature is named."""

SET_MEMORY_BYTES = 256 << 20
"""Ceiling for RE2's automaton of all patterns. It grows on demand; the usual 8 MB would make it forget states."""

KEYS = {
    "id",
    "confidence",
    "why",
    "patterns",
    "also",
    "near",
    "unless",
    "near_unless",
    "consequence",
    "decisive",
    "local",
}
EXAMPLE_KEYS = {"examples", "counter_examples"}


class Verdict(StrEnum):
    """What a failure means for a re-run. Only ``transient`` is ever re-run."""

    TRANSIENT = "transient"
    GENUINE = "genuine"
    INFRA_PERSISTENT = "infra_persistent"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Signature:
    """One kind of message.

    ``also`` must match the same line and ``unless`` must not; ``near`` must match that line or one close to it and
    ``near_unless`` must not. ``consequence`` marks what a failed download also leaves behind; ``decisive`` marks
    trouble after which nothing that the log says counts any more, such as a lost runner. ``local`` says that addresses
    of this machine do not disqualify the line. ``confidence`` is the author's, between 0 and 1.
    """

    id: str
    verdict: Verdict
    confidence: float
    why: str
    patterns: tuple[str, ...]
    also: Any = None
    near: Any = None
    unless: Any = None
    near_unless: Any = None
    consequence: bool = False
    decisive: bool = False
    local: bool = False
    examples: tuple[str, ...] = ()
    counter_examples: tuple[str, ...] = ()


class Catalog:
    """All signatures, and one automaton that tells in a single pass which of them a line may be."""

    def __init__(self, signatures: tuple[Signature, ...], fragments: dict[str, str]) -> None:
        self.signatures = signatures
        self.local_address = compile_pattern(fragments["local_address"])
        options = re2.Options()
        options.case_sensitive = False
        options.max_mem = SET_MEMORY_BYTES
        options.log_errors = False
        self._set = re2.Set.SearchSet(options)
        self._owner: list[int] = []
        for index, signature in enumerate(signatures):
            for pattern in signature.patterns:
                self._set.Add(pattern)
                self._owner.append(index)
        self._set.Compile()

    def candidates(self, text: str) -> list[Signature]:
        """Signatures with a pattern that matches ``text``, in the catalogue's order; conditions are not checked."""
        return [
            self.signatures[index] for index in sorted({self._owner[found] for found in self._set.Match(text) or ()})
        ]


@cache
def catalog() -> Catalog:
    """The project's own catalogue, read once. Raises ``ValueError`` naming file and id of a mistake."""
    return read_catalog(FOLDER)


def read_catalog(folder: Path) -> Catalog:
    """Reads every file of ``FILES`` in ``folder``."""
    fragments = {name: "|".join(pieces) for name, pieces in _read(folder / "fragments.yaml").items()}
    found: list[Signature] = []
    for name in FILES:
        content = _read(folder / name)
        for entry in content["signatures"]:
            found.append(_signature(entry, Verdict(content["verdict"]), fragments, name))
    names = [signature.id for signature in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"signature ids are used twice: {', '.join(twice)}")
    return Catalog(tuple(found), fragments)


def compile_pattern(pattern: str) -> Any:
    """RE2 without regard to letter case, as every pattern of the catalogue is meant."""
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    return re2.compile(pattern, options)


def _read(path: Path) -> Any:
    # The C parser has the safe loader's rules and is ten times faster, which every command line start feels.
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text(encoding="utf-8"), loader)  # noqa: S506  both are safe loaders


def _signature(entry: dict[str, Any], verdict: Verdict, fragments: dict[str, str], file: str) -> Signature:
    where = f"{file}: {entry.get('id', '(no id)')}"
    unknown = set(entry) - KEYS - EXAMPLE_KEYS
    missing = {"id", "confidence", "why", "patterns", "examples"} - set(entry)
    if unknown or missing:
        raise ValueError(f"{where}: unknown keys {sorted(unknown)}, missing keys {sorted(missing)}")
    if not 0 < entry["confidence"] < 1:
        raise ValueError(f"{where}: confidence must lie between 0 and 1")
    try:
        patterns = tuple(_expand(pattern, fragments) for pattern in entry["patterns"])
        for pattern in patterns:
            compile_pattern(pattern)
        conditions = {
            name: compile_pattern(_expand(entry[name], fragments))
            for name in ("also", "near", "unless", "near_unless")
            if name in entry
        }
    except (re2.error, KeyError) as problem:
        raise ValueError(f"{where}: {_words(problem)}") from problem
    return Signature(
        id=entry["id"],
        verdict=verdict,
        confidence=entry["confidence"],
        why=entry["why"],
        patterns=patterns,
        consequence=entry.get("consequence", False),
        decisive=entry.get("decisive", False),
        local=entry.get("local", False),
        examples=tuple(entry["examples"]),
        counter_examples=tuple(entry.get("counter_examples", ())),
        **conditions,
    )


def _words(problem: Exception) -> str:
    """RE2 hands its complaint over as bytes."""
    first = problem.args[0] if problem.args else problem
    return first.decode("utf-8", "replace") if isinstance(first, bytes) else f"no fragment {first}"


def _expand(written: str | list[str], fragments: dict[str, str]) -> str:
    """A list means "one of these"; ``{{name}}`` becomes the fragment of that name. KeyError where there is none."""
    pattern = written if isinstance(written, str) else "|".join(written)
    while "{{" in pattern:
        before, _, rest = pattern.partition("{{")
        name, _, after = rest.partition("}}")
        pattern = f"{before}(?:{fragments[name]}){after}"
    return pattern
