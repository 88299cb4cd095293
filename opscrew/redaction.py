"""Takes secrets out of text that came from outside.

One place, used before anything is stored, logged, shown or sent to a model. Secrets of strangers are known by how they
look, the crew's own by their value: a system may well quote the token that it refuses. RE2 is used because its time
grows linearly with the text: logs are written by strangers, and a backtracking engine could be made to hang.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import re2

from opscrew.redaction_blocks import mask_keys, mask_kubernetes_secrets
from opscrew.redaction_values import Values
from opscrew.strict_yaml import read_strictly

MASK = "[redacted]"

SHORTEST_OWN, SHORTEST_OWN_WORD = 8, 16
"""Characters from which a configured secret is masked wherever it stands, and one of letters alone: somebody's password
may be "postgres", and masking each mention of it would hide what people must read."""
PATTERNS_FILE = Path(__file__).with_name("redaction.yaml")
ANY = "any"
MOST_MEMORY = 32 * 1024 * 1024
"""Bytes that one pattern may use while it is matched; with less, large ones fall back to a way that is slow."""

_own: set[str] = set()


def mask_also(secrets: Iterable[str]) -> None:
    """From now on these very values are masked too, also as they look inside a URL. Called when settings are read."""
    lines = {line.strip() for secret in secrets for line in secret.splitlines()}
    _own.update(line for line in lines if len(line) >= (SHORTEST_OWN_WORD if line.isalpha() else SHORTEST_OWN))
    for built in (_any_cue, _groups, _sources):
        built.cache_clear()


def forget_own() -> None:
    """Ends what ``mask_also`` began: in a process that reads other settings, the old secrets are ordinary text."""
    _own.clear()
    mask_also(())


def redact(text: str) -> str:
    """The same text with every secret replaced by ``[redacted]``; line count and order stay.

    Halves of characters (lone surrogates), which no file and no database takes either, become question marks.
    """
    text = text.encode("utf-8", "replace").decode()
    if not _any_cue().search(text):
        return text  # nearly every line; one search instead of one for each pattern
    if "\n" in text:
        text = "\n".join(without_private_keys(text.split("\n")))
    text = mask_kubernetes_secrets(text, MASK)
    return _redact_piece(text)


def without_private_keys(lines: Sequence[str]) -> list[str]:
    """The same lines with those of a private key masked: it spans many, of which none looks like a secret by itself."""
    return mask_keys(lines, MASK, _redact_piece)


def _redact_piece(text: str) -> str:
    for group in _groups():
        if group.cue.search(text) and group.all.search(text):
            for pattern, look in group.patterns:
                text = pattern.sub(lambda match, look=look: _mask(match, look), text)
    return text


def _mask(match: Any, look: str) -> str:
    """The match with its groups masked, or the whole of it where the pattern has none."""
    whole = str(match.group(0))
    if not match.re.groups:
        return MASK + "\n" * whole.count("\n")
    start = match.start()
    for number in range(match.re.groups, 0, -1):
        value = match.group(number)
        if value and MASK not in value and _published().values.is_secret(str(value), look):
            begin, end = match.start(number) - start, match.end(number) - start
            whole = whole[:begin] + MASK + "\n" * str(value).count("\n") + whole[end:]
    return whole


@dataclass(frozen=True)
class _Group:
    """Patterns of one cue; ``all`` matches where any of them does, and costs as much as a few of them."""

    cue: Any
    all: Any
    patterns: Sequence[tuple[Any, str]]


@dataclass(frozen=True)
class _Published:
    """What the file says. ``groups`` are patterns with how a value must look, by the cue that they need."""

    groups: Mapping[str, Sequence[tuple[str, str]]]
    values: Values


@cache
def _any_cue() -> Any:
    """One pattern that matches where any cue, and so any pattern, does."""
    return _compiled(cue for cue, _ in _sources())


@cache
def _groups() -> tuple[_Group, ...]:
    return tuple(
        _Group(
            _compiled([cue]),
            _compiled(pattern for pattern, _ in patterns),
            [(_compiled([pattern]), look) for pattern, look in patterns],
        )
        for cue, patterns in _sources()
    )


@cache
def _sources() -> tuple[tuple[str, Sequence[tuple[str, str]]], ...]:
    """Each cue with its patterns. The own secrets come first, the longest of them before all."""
    own = {form for secret in _own for form in _forms(secret)}
    # Where one secret begins another, nothing of the longer one may stay.
    literal = "|".join(re2.escape(form) for form in sorted(own, key=len, reverse=True))
    return (*(((literal, [(literal, ANY)]),) if own else ()), *_published().groups.items())


def _forms(secret: str) -> tuple[str, ...]:
    """As it is, as it looks in a URL, and as Kubernetes and headers carry it."""
    encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
    return secret, quote(secret, safe=""), quote(secret), encoded


@cache
def _published() -> _Published:
    content = read_strictly(PATTERNS_FILE)[0]
    parts = content["parts"]
    groups: dict[str, list[tuple[str, str]]] = {}
    for entry in content["patterns"]:
        cue = _filled(content["cues"][entry["cue"]], parts)
        groups.setdefault(cue, []).append((_filled(entry["pattern"], parts), entry["look"]))
    tokens = "|".join(entry["pattern"] for entry in content["tokens"])
    groups[content["cues"]["token"]] = [(rf"(?:\b|\x1b\[[0-9;]*m)({tokens})", ANY)]
    placeholders = {
        meant: [one["pattern"] for one in content["placeholders"] if one["everywhere"] is meant]
        for meant in (True, False)
    }
    return _Published(groups, Values(placeholders[True], placeholders[False], content["words"].split()))


def _filled(pattern: str, parts: Mapping[str, str]) -> str:
    """The pattern with its parts in place; a part may be made of others."""
    while found := re.search(r"\$\{(\w+)\}", pattern):
        pattern = pattern.replace(found[0], parts[found[1]])
    return pattern


def _compiled(alternatives: Iterable[str]) -> Any:
    options = re2.Options()
    options.max_mem = MOST_MEMORY
    return re2.compile("|".join(f"(?:{one})" for one in alternatives), options)
