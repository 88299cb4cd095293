"""Secrets that span lines, of which none looks like a secret by itself: keys in PEM, and Kubernetes' Secrets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import re2

LONGEST_KEY = 200
"""Lines. The largest keys have half as many; a beginning without an end must not swallow the rest of a log."""
SHORTEST_BODY = 16
"""Characters of a line of a key; the last one may be shorter."""

_MARK = "PRIVATE KEY"
_BEGIN, _END = "-BEGIN ", "-END "
_BODY = re2.compile(r"[A-Za-z0-9+/=]+")
_SECRET = re2.compile(r"""kind\\*["']?:\s*\\*["']?Secret(?:List)?\b""")
_DATA = re2.compile(r"^(\s*)(?:data|stringData):\s*$")
_ENTRY = re2.compile(r"^(\s*)(?:- )?([\w.-]+:[ \t]*)(\S.*)$")
_JSON_DATA = re2.compile(r"""(?s)\\*"(?:data|stringData)\\*"\s*:\s*\{([^{}]*)\}""")
_JSON_VALUE = re2.compile(r"""(\\*"\s*:\s*\\*")([^"\\]+)""")


def mask_keys(lines: Sequence[str], mask: str, redact: Callable[[str], str]) -> list[str]:
    """The same lines with those of a private key masked, also where its beginning or its end is missing."""
    if _MARK not in "\n".join(lines):
        return list(lines)  # nearly every log; looking is several times as quick as building it anew
    kept: list[str] = []
    inside = 0
    for line in lines:
        if _MARK in line:
            begins, ends = _BEGIN in line, _END in line
            if ends and not begins and not inside:
                _mask_before(kept, mask)
            inside = LONGEST_KEY if begins and not ends else 0
            kept.append(redact(line) if begins else mask)
        else:
            kept.append(mask if inside else line)
            inside = max(0, inside - 1)
    return kept


def _mask_before(kept: list[str], mask: str) -> None:
    """Lines of a key whose beginning was cut off: full ones as far up as they go, and a last one of any length."""
    whole = [_is_body(line) for line in kept[-LONGEST_KEY:]]
    count = 0
    while count < len(whole) and (whole[-1 - count] or (count == 0 and len(whole) > 1 and whole[-2])):
        count += 1
    for index in range(len(kept) - count, len(kept)):
        kept[index] = mask


def _is_body(line: str) -> bool:
    """Whether it ends with a long piece of base64; a log may have put something before it."""
    words = line.split()
    return bool(words) and len(words[-1]) >= SHORTEST_BODY and bool(_BODY.fullmatch(words[-1]))


def mask_kubernetes_secrets(text: str, mask: str) -> str:
    """Every value under ``data`` and ``stringData`` of a Secret, in YAML and in JSON, whatever its name."""
    if not _SECRET.search(text):
        return text
    text = _JSON_DATA.sub(lambda match: _mask_values(match, mask), text)
    return "\n".join(_mask_yaml(text.split("\n"), mask))


def _mask_values(match: Any, mask: str) -> str:
    return str(_JSON_VALUE.sub(lambda value: str(value.group(1)) + mask, str(match.group(0))))


def _mask_yaml(lines: Sequence[str], mask: str) -> list[str]:
    kept, depth = [], -1
    for line in lines:
        begins, entry = _DATA.match(line), _ENTRY.match(line)
        if begins:
            depth = len(begins.group(1))
        elif depth >= 0 and line.strip():
            indent = len(line) - len(line.lstrip())
            if indent <= depth:
                depth = -1
            elif entry:
                line = f"{entry.group(1)}{entry.group(2)}{mask}"
            else:
                line = " " * indent + mask  # the next line of a value
        kept.append(line)
    return kept
