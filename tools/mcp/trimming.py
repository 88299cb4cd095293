"""Makes tool descriptions short: a model reads every one of them with every question.

Servers describe their tools for large models, with examples and advice. A small one needs a sentence and the names,
types and choices of the parameters that matter.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from tools.cleaning import visible
from tools.mcp.servers import ToolEntry

LONGEST_DESCRIPTION = 200
LONGEST_PARAMETER = 80
KEPT = ("type", "enum", "items", "minimum", "maximum", "format", "$ref", "anyOf", "oneOf", "const")
MOST_PARAMETERS, MOST_CHOICES = 20, 40
"""No model chooses well among more, and a server may list thousands. Parameters that are required all stay."""
CHARACTERS_PER_TOKEN = 4
"""Of JSON, roughly, for the tokenizers of the documented models. Used for a comparison, never for a limit."""


@dataclass(frozen=True)
class McpTool:
    """A tool as it is offered. ``full_tokens`` is what the server's own description would have cost."""

    server: str
    name: str
    description: str
    parameters: dict[str, Any]
    mutates: bool
    tokens: int
    full_tokens: int


def trim(server: str, name: str, description: str, schema: dict[str, Any], entry: ToolEntry) -> McpTool:
    """The tool in few words. ``entry`` may give its own words, and names the parameters to show.

    A required parameter is always kept: without it no call would be right. A schema that is none becomes one that
    takes anything: the server judges what it is sent.
    """
    short = entry.description or first_sentence(description, LONGEST_DESCRIPTION)
    try:
        parameters = trim_schema(schema, entry.parameters)
    except (TypeError, AttributeError, RecursionError):
        parameters = {"type": "object", "properties": {}}
    return McpTool(
        server,
        name,
        short,
        parameters,
        entry.mutates,
        tokens=estimate(name, short, parameters),
        full_tokens=estimate(name, description, schema),
    )


def trim_schema(schema: dict[str, Any], shown: tuple[str, ...] | None) -> dict[str, Any]:
    """A JSON schema of an object, without what only explains."""
    properties = schema.get("properties") or {}
    required = [name for name in schema.get("required") or () if name in properties]
    wanted = [name for name in properties if name not in required and (shown is None or name in shown)]
    most = set(required) | set(wanted[: max(0, MOST_PARAMETERS - len(required))])
    kept = [name for name in properties if name in most]
    found: dict[str, Any] = {
        "type": "object",
        "properties": {name: _trim_property(properties[name]) for name in kept},
    }
    if required:
        found["required"] = required
    if "$defs" in schema:
        found["$defs"] = {name: _trim_property(one) for name, one in schema["$defs"].items()}
    return found


def first_sentence(text: str, longest: int) -> str:
    """The first sentence, on one line, cut at a word where it is too long."""
    text = " ".join(visible(text).split())
    match = re.match(r".{15,}?[.!?](?=\s|$)", text)
    sentence = match.group(0) if match else text
    if len(sentence) <= longest:
        return sentence
    return sentence[:longest].rsplit(" ", 1)[0] + "…"


def estimate(name: str, description: str, schema: dict[str, Any]) -> int:
    """About how many tokens a tool takes in a prompt."""
    text = json.dumps({"name": name, "description": description, "parameters": schema}, ensure_ascii=False)
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def _trim_property(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    found: dict[str, Any] = {}
    for key in KEPT:
        if key not in schema:
            continue
        value = schema[key]
        if key == "$ref" and not str(value).startswith("#"):
            continue  # an address or a file, which nobody here looks up
        if key == "enum" and len(value) > MOST_CHOICES:
            continue  # told by the description, or by the server's refusal
        if key == "items":
            value = _trim_property(value)
        elif key in ("anyOf", "oneOf"):
            value = [_trim_property(one) for one in value]
        found[key] = value
    if isinstance(schema.get("properties"), dict):
        found |= trim_schema(schema, None)
    if schema.get("description"):
        found["description"] = first_sentence(str(schema["description"]), LONGEST_PARAMETER)
    return found
