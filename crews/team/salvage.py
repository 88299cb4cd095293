"""Finds tool calls that a model wrote as text instead of making them.

Small models do this often, each family in its own dialect. Only names that were offered count, so prose that merely
contains JSON stays prose.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

_TAGGED = re.compile(r"<(tool_call|function_call|tool)>\s*(.*?)\s*(?:</\1>|$)", re.DOTALL)  # Qwen, Hermes, Granite
_FENCED = re.compile(r"```(?:json|tool_call|tool_code)?\s*(\{.*?\}|\[.*?\])\s*```", re.DOTALL)
_MISTRAL = re.compile(r"\[TOOL_CALLS\]\s*(\[.*\])", re.DOTALL)
_REACT = re.compile(r"Action:\s*([\w.\-]+)\s*\n\s*Action Input:\s*(\{.*?\})\s*(?:\n|$)", re.DOTALL)
_LLAMA = re.compile(r"<function=([\w.\-]+)>\s*(\{.*?\})\s*(?:</function>|$)", re.DOTALL)

LONGEST_TEXT = 20_000
"""Characters looked at. A call stands near the beginning or is no call."""


@dataclass(frozen=True)
class WrittenCall:
    """A call as the model meant it."""

    name: str
    arguments: dict[str, Any]


def written_calls(text: str, offered: Collection[str]) -> list[WrittenCall]:
    """The calls in ``text`` to tools in ``offered``, in order; empty when the text is an answer."""
    text = text[:LONGEST_TEXT]
    for pattern in (_REACT, _LLAMA):
        found = [call for match in pattern.finditer(text) for call in _named(match[1], match[2], offered)]
        if found:
            return found
    pieces = [match[2] for match in _TAGGED.finditer(text)]
    pieces += [match[1] for pattern in (_MISTRAL, _FENCED) for match in pattern.finditer(text)]
    pieces.append(text.strip())
    for piece in pieces:
        found = _from_json(piece, offered)
        if found:
            return found + [more for other in pieces if other is not piece for more in _from_json(other, offered)]
    return []


def _named(name: str, arguments: str, offered: Collection[str]) -> list[WrittenCall]:
    value = _parsed(arguments)
    return [WrittenCall(name, value)] if name in offered and isinstance(value, dict) else []


def _from_json(piece: str, offered: Collection[str]) -> list[WrittenCall]:
    value = _parsed(piece)
    found = []
    for entry in value if isinstance(value, list) else [value]:
        call = _as_call(entry, offered)
        if call:
            found.append(call)
    return found


def _as_call(entry: Any, offered: Collection[str]) -> WrittenCall | None:
    if not isinstance(entry, dict):
        return None
    function = entry.get("function")
    if isinstance(function, dict):
        entry = function
    name = entry.get("name") or entry.get("tool") or entry.get("tool_name") or entry.get("function")
    if not isinstance(name, str) or name not in offered:
        return None
    for key in ("arguments", "parameters", "args", "input", "tool_input"):
        arguments = entry.get(key)
        if isinstance(arguments, str):
            arguments = _parsed(arguments)
        if isinstance(arguments, dict):
            return WrittenCall(name, arguments)
    return WrittenCall(name, {})


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
