"""What the scripted model says, call by call, and what it was asked."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Reply:
    """One answer. ``calls`` are (name, arguments) pairs; arguments may be of any JSON type, wrong ones included.

    ``tokens_per_second`` slows the words down, None means at once. ``silent_seconds`` pass before the first byte.
    ``hang`` never sends another byte after the text. ``cut_after`` breaks the connection after that many words.
    ``status`` other than 200 answers with ``error`` alone.
    """

    text: str = ""
    calls: tuple[tuple[str, Any], ...] = ()
    thinking: str = ""
    tokens_per_second: float | None = None
    silent_seconds: float = 0.0
    hang: bool = False
    cut_after: int | None = None
    status: int = 200
    error: str = ""


Asked = dict[str, Any]
Speaker = Callable[[Asked], Reply]


def says(text: str = "", **how: Any) -> Speaker:
    """Always the same words."""
    return lambda asked: Reply(text=text, **how)


def answers(answer: str, *, missing: Sequence[str] = (), cited: Sequence[str] = (), **how: Any) -> Speaker:
    """JSON as a schema wants it, with the prose in whichever field the schema has for it."""

    def speak(asked: Asked) -> Reply:
        schema = schema_of(asked)
        fields = schema.get("properties", {}) if schema else {}
        if not fields:
            return Reply(text=answer, **how)
        value: dict[str, Any] = {}
        for name, kind in fields.items():
            if name == "missing":
                allowed = kind.get("items", {}).get("enum", [])
                value[name] = [wanted for wanted in missing if wanted in allowed]
            elif name == "cited":
                value[name] = list(cited)
            elif "enum" in kind:
                value[name] = answer if answer in kind["enum"] else kind["enum"][0]
            else:
                value[name] = "" if value.get("missing") else answer
        return Reply(text=json.dumps(value), **how)

    return speak


def calls(name: str, arguments: Any, *, times: int = 1) -> Speaker:
    """Native tool calls, ``times`` of the same in one turn."""
    return lambda asked: Reply(calls=((name, arguments),) * times)


def first_evidence(asked: Asked) -> Reply:
    """Repeats the first lines of evidence: a model that is dull and right, for trying things out."""
    text = " ".join(str(message.get("content") or "") for message in asked.get("messages", ()))
    found = re.findall(r"^(E\d+)[:\s]+(.*)$", text, re.MULTILINE)[:2]
    words = " ".join(f"{line.rstrip('.')} ({number})." for number, line in found) or "I have no evidence on that."
    return answers(words, cited=[number for number, _ in found])(asked)


def schema_of(asked: Asked) -> dict[str, Any] | None:
    """The JSON schema of a request in either protocol."""
    if isinstance(asked.get("format"), dict):
        return dict(asked["format"])
    wanted = (asked.get("response_format") or {}).get("json_schema") or {}
    return wanted.get("schema")


@dataclass
class Script:
    """The speakers in order; the last one speaks for ever. ``asked`` keeps every request, ``cut`` the lost callers."""

    speakers: Sequence[Speaker] = (first_evidence,)
    model: str = "demo:1b"
    context_tokens: int = 8192
    capabilities: tuple[str, ...] = ("completion", "tools")
    asked: list[Asked] = field(default_factory=list)
    cut: int = 0
    running: int = 0
    most_running: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def next_reply(self, asked: Asked) -> Reply:
        with self._lock:
            speaker = self.speakers[min(len(self.asked), len(self.speakers) - 1)]
            self.asked.append(asked)
        return speaker(asked)

    def begin(self) -> None:
        with self._lock:
            self.running += 1
            self.most_running = max(self.most_running, self.running)

    def end(self, *, complete: bool) -> None:
        with self._lock:
            self.running -= 1
            self.cut += not complete
