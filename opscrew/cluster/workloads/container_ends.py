"""How a container ended, in words: ended by itself, killed, never started, crashed with what its program said last.

The kinds and their words are data (``container_ends.yaml``), in the order in which they are tried.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from opscrew.errors import UsageError
from opscrew.strict_yaml import HINT, load_strictly
from tools.kubernetes.fields import number, text

ENDS_FILE = Path(__file__).with_name("container_ends.yaml")

_LONGEST_QUOTE = 200
# The runtimes wrap what the kernel said into several layers; the innermost begins here and ends before ": unknown".
_RUNTIME_LAYERS = re.compile(r".*?(?:starting|start) container process(?: caused)?:\s*", re.DOTALL)
_RUNTIME_REST = re.compile(r"^(?:Error: )?error during container init:\s*|(?::\s*unknown)+\s*$")
# Lines in which programs say why they give up. Stack frames are indented, and the line that counts is seldom the last
# in Go and Java and always the last in Python.
_LAST_WORDS = re.compile(
    r"^(?:panic:|fatal\b|[\w.]*(?:Error|Exception)\b|error\b|\S+ (?:error|fatal)\b)", re.IGNORECASE
)


class EndKind(BaseModel):
    """One entry of ``container_ends.yaml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    said: str
    ended: str
    codes: tuple[int, ...] = ()
    reasons: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    next: str = ""
    quote: bool = True

    def fits(self, code: int | None, reason: str, message: str) -> bool:
        return (
            (not self.codes or code in self.codes)
            and (not self.reasons or reason in self.reasons)
            and (not self.words or any(word in message.lower() for word in self.words))
        )


@cache
def end_kinds() -> tuple[EndKind, ...]:
    """In the order of the file. Raises ``UsageError`` where it was edited wrongly."""
    kinds: tuple[EndKind, ...] = load_strictly(ENDS_FILE, tuple[EndKind, ...])
    if not kinds or kinds[-1].codes or kinds[-1].reasons or kinds[-1].words:
        raise UsageError(f"{ENDS_FILE}: the last entry must fit every end", HINT)
    return kinds


def kind_of(ended: Mapping[str, Any]) -> EndKind:
    """The kind of a ``terminated`` state; the last entry of the file fits everything."""
    code, signal = number(ended, "exitCode"), number(ended, "signal")
    if code is None and signal:
        code = 128 + signal
    reason, message = text(ended, "reason"), text(ended, "message")
    return next(kind for kind in end_kinds() if kind.fits(code, reason, message))


def quote_of(ended: Mapping[str, Any]) -> str:
    """ ": what the runtime or the program said", one line; empty where nothing was said."""
    said = core_of(text(ended, "message")) if kind_of(ended).quote else ""
    return f": {said}" if said else ""


def core_of(message: str) -> str:
    """The line in which a program or a runtime says why, without the layers around it."""
    inner = _RUNTIME_LAYERS.sub("", message, count=1) if "container process" in message else message
    inner = _RUNTIME_REST.sub("", _RUNTIME_REST.sub("", inner.strip()))
    lines = [line.rstrip() for line in inner.splitlines() if line.strip() and not line[0].isspace()]
    telling = [line for line in lines if _LAST_WORDS.match(line)]
    chosen = (telling or lines or [inner.strip()])[-1].strip().rstrip(".")
    return chosen if len(chosen) <= _LONGEST_QUOTE else chosen[: _LONGEST_QUOTE - 1] + "…"


def end_text(ended: Mapping[str, Any]) -> str:
    """ "OOMKilled, exit code 137"."""
    code, signal = number(ended, "exitCode"), number(ended, "signal")
    reason = text(ended, "reason")
    parts = [
        reason if reason not in ("Error", "Completed") or code is None else "",
        f"exit code {code}" if code is not None else "",
        f"signal {signal}" if signal else "",
    ]
    return ", ".join(part for part in parts if part) or "no reason given"
