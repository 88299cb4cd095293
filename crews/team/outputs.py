"""What a task may answer: named schemas, one list. A task names one in its ``output``.

The JSON schema bounds the model's writing token by token, so even a weak model gives something that can be read.
Strings are bounded because an unbounded one never ends, and at 1,500 characters because Ollama's grammar engine
crashes on limits of some thousands.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json

Cited = Annotated[list[Annotated[str, Field(max_length=6)]], Field(default_factory=list, max_length=8)]
"""Ids of evidence ("E3")."""


class Output(BaseModel):
    """``prose`` names the field that is streamed to people. Order of fields is the order of writing."""

    model_config = ConfigDict(extra="ignore")
    prose: ClassVar[str] = ""


class Answer(Output):
    """An answer to a question. ``missing`` is filled from a closed list when the evidence does not suffice."""

    prose: ClassVar[str] = "answer"
    missing: list[str] = Field(default_factory=list, max_length=3)
    answer: str = Field(default="", max_length=1500)
    cited: Cited


class Explanation(Output):
    """Why something failed, for a finding or an alert. What to do is in ``codes.yaml`` and never a model's word."""

    prose: ClassVar[str] = "cause"
    missing: list[str] = Field(default_factory=list, max_length=3)
    cause: str = Field(default="", max_length=600)
    cited: Cited


class Summary(Output):
    """Some sentences for a report."""

    prose: ClassVar[str] = "summary"
    summary: str = Field(default="", max_length=1200)
    cited: Cited


class Choice(Output):
    """One of the options that the caller gave."""

    prose: ClassVar[str] = "choice"
    choice: str = Field(default="", max_length=80)


OUTPUTS: dict[str, type[Output]] = {
    "answer": Answer,
    "explanation": Explanation,
    "summary": Summary,
    "choice": Choice,
}


def schema_of(output: type[Output], *, missing: Sequence[str] = (), choices: Sequence[str] = ()) -> dict[str, Any]:
    """The JSON schema to bind the model to. ``missing`` is left out where nothing could be fetched anyway."""
    schema = copy.deepcopy(output.model_json_schema())
    fields: dict[str, Any] = schema["properties"]
    if "missing" in fields:
        if missing:
            fields["missing"]["items"] = {"type": "string", "enum": list(missing)}
        else:
            del fields["missing"]
    if "choice" in fields and choices:
        fields["choice"] = {"type": "string", "enum": list(choices)}
    for one in fields.values():
        for noise in ("title", "default", "description"):
            one.pop(noise, None)
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


def read_output(output: type[Output], text: str) -> Output:
    """Makes the most of what the model wrote: whole JSON, JSON in a fence, a JSON beginning, or plain prose."""
    text = text.strip()
    for candidate in (text, *_fenced(text)):
        for partial in (False, True):
            found = _parsed(output, candidate, partial=partial)
            if found is not None:
                return found
    if not output.prose or text.startswith(("{", "[")):
        return output()
    return output.model_construct(**{**output().model_dump(), output.prose: text})


def prose_so_far(output: type[Output], text: str) -> str:
    """The part of the prose that can already be shown; empty while the model still says what is missing."""
    text = text.lstrip()
    if not text.startswith("{"):
        return "" if not text or text.startswith(("`", "<")) else text
    try:
        value = from_json(text, allow_partial="trailing-strings")
    except ValueError:
        return ""
    if not isinstance(value, dict) or value.get("missing"):
        return ""
    prose = value.get(output.prose, "")
    return prose if isinstance(prose, str) else ""


def _parsed(output: type[Output], text: str, *, partial: bool) -> Output | None:
    try:
        value = from_json(text, allow_partial="trailing-strings") if partial else json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not (set(value) & set(output.model_fields)):
        return None
    try:
        return output.model_validate(value)
    except ValidationError as problem:
        wrong = {str(error["loc"][0]) for error in problem.errors()}
        kept = {name: entry for name, entry in value.items() if name not in wrong and name in output.model_fields}
        for name in wrong & {output.prose}:
            if isinstance(value.get(name), str):
                kept[name] = value[name]  # longer than asked for is still an answer
        return output.model_construct(**{**output().model_dump(), **kept})


def _fenced(text: str) -> list[str]:
    return [match[1] for match in re.finditer(r"```(?:json)?\s*(\{.*?)(?:```|$)", text, re.DOTALL)]
