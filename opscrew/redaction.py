"""Takes secrets out of text that came from outside.

One place, used before anything is stored, logged, shown or sent to a model. Secrets of strangers are known by how they
look, the crew's own by their value: a system may well quote the token that it refuses. RE2 is used because its time
grows linearly with the text: logs are written by strangers, and a backtracking engine could be made to hang.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import re2

from opscrew.strict_yaml import read_strictly

MASK = "[redacted]"

# What stands where a secret would, and tells a reader more than a mask does: a value that the CI system has masked
# already (***, [secure], <hidden>), the name of a variable ($TOKEN, ${{ secrets.TOKEN }}, %TOKEN%), and code that
# computes the value, as compilers quote it (token = lexer.next_token(...)).
_NO_SECRET = re2.compile(
    r"\*+|\[[a-zA-Z ]+\]|<[a-zA-Z_ -]+>|x{4,}|\$[A-Z_][A-Z0-9_]*|\$?\{+[A-Za-z0-9_. ]*\}*|%[A-Z0-9_]+%"
    r"|[A-Za-z_][A-Za-z0-9_.:]*\(.*"
)

SHORTEST_OWN, SHORTEST_OWN_WORD = 8, 16
"""Characters from which a configured secret is masked wherever it stands, and one of letters alone: somebody's password
may be "postgres", and masking each mention of it would hide what people must read."""
LONGEST_KEY = 200
"""Lines. The largest keys have half as many; a beginning without an end must not swallow the rest of a log."""

PATTERNS_FILE = Path(__file__).with_name("redaction.yaml")


_own: set[str] = set()


def mask_also(secrets: Iterable[str]) -> None:
    """From now on these very values are masked too, also as they look inside a URL. Called when settings are read."""
    lines = {line.strip() for secret in secrets for line in secret.splitlines()}
    _own.update(line for line in lines if len(line) >= (SHORTEST_OWN_WORD if line.isalpha() else SHORTEST_OWN))
    for built in (_any_secret, _patterns, _sources):
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
    if not _any_secret().search(text):
        return text  # nearly every line; one search instead of one for each pattern
    for pattern, has_secret_group in _patterns():
        text = pattern.sub(_mask_group if has_secret_group else _mask_whole, text)
    return text


def without_private_keys(lines: Sequence[str]) -> list[str]:
    """The same lines with those of a private key masked: it spans many, of which none looks like a secret by itself."""
    if not any("PRIVATE KEY-----" in line for line in lines):
        return list(lines)  # nearly every log; looking is several times as quick as building it anew
    kept = []
    inside = 0
    for line in lines:
        if "PRIVATE KEY-----" in line:
            inside = LONGEST_KEY if "-----BEGIN" in line else 0
            kept.append(redact(line) if inside else MASK)
        else:
            kept.append(MASK if inside else line)
            inside = max(0, inside - 1)
    return kept


def _mask_whole(match: Any) -> str:
    return MASK + "\n" * str(match.group(0)).count("\n")


def _mask_group(match: Any) -> str:
    whole = str(match.group(0))
    if _NO_SECRET.fullmatch(str(match.group(1))):
        return whole
    start, end = (position - match.start() for position in match.span(1))
    return whole[:start] + MASK + whole[end:]


@cache
def _any_secret() -> Any:
    """One pattern that matches where any of them does."""
    return re2.compile("|".join(f"(?:{pattern})" for pattern in _sources()).replace("(?P<secret>", "(?:"))


@cache
def _patterns() -> tuple[tuple[Any, bool], ...]:
    return tuple((re2.compile(pattern), "(?P<secret>" in pattern) for pattern in _sources())


@cache
def _sources() -> tuple[str, ...]:
    entries = read_strictly(PATTERNS_FILE)[0]["patterns"]
    own = {form for secret in _own for form in (secret, quote(secret, safe=""), quote(secret))}
    # The longest first: where one secret begins another, nothing of the longer one may stay.
    literal = (re2.escape(form) for form in sorted(own, key=len, reverse=True))
    return (*literal, *(entry["pattern"] for entry in entries))
