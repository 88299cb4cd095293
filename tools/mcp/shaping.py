"""Makes a tool's answer readable for a small model: tables instead of JSON, a cap with a count of what was cut.

Also tells failures and empty answers apart from results, since several servers report both as success, and takes
secrets out: of text before it is cut, of JSON part by part, since a cut and quotes within quotes may hide one.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any, Literal

from tools.cleaning import Clean, clean_value, visible
from tools.mcp.tables import find_rows, table_lines

Status = Literal["ok", "no_data", "error"]

FAILURE_STARTS = ('{"error"',)
STANDARD_ERROR = re.compile(r"(?:\A|\n)stderr:\s*(?=\S)", re.IGNORECASE)
"""How Google's servers tell a failure that they send as success: what a program printed beside its output. It may have
printed a warning there too, so beside other output only the word ERROR counts."""
ONE_LINE_STARTS = ("Error:", "error:", "failed to ", "Failed to ")
"""How others do, in one line. A log may begin with the same words, and goes on."""
NOTHING = re.compile(
    r"(?:|\[\]|\{\}|null|none|\"\"|no (?:data|results?|events?|logs?|resources?)[^\n]{0,60})", re.IGNORECASE
)
LONGEST_LINE = 400
LONGEST_FAILURE = 600
CLEANED_PER_SHOWN = 4
"""How many times more text is cleaned than shown: a secret may reach over the place where text is cut."""


@dataclass(frozen=True)
class ToolResult:
    """What a call gave. ``left_out`` counts rows or lines that did not fit; ``seconds`` is the wall time."""

    status: Status
    text: str
    left_out: int = 0
    seconds: float = 0.0


def shape(text: str, *, failed: bool, limit: int, clean: Clean, keep_end: bool = False) -> ToolResult:
    """``text`` as the server sent it, ``failed`` as it said. ``clean`` takes secrets out; ``limit`` is characters.

    ``keep_end`` is for logs, whose last lines matter most.
    """
    result = _shaped(text.strip(), failed, limit, clean, keep_end)
    return replace(result, text=visible(result.text))


def _shaped(text: str, failed: bool, limit: int, clean: Clean, keep_end: bool) -> ToolResult:
    value = _json(text)
    if failed or _is_failure(text, value):
        return failure(_failure_words(text, value), clean, limit)
    if value is not None:
        try:
            return _shape_value(value, limit, clean)
        except RecursionError:
            pass  # nested deeper than anybody reads; shown as the text that it is
    if NOTHING.fullmatch(text):
        return ToolResult("no_data", "no data")
    return _shape_text(text, limit, clean, keep_end)


def failure(words: str, clean: Clean, limit: int = LONGEST_FAILURE) -> ToolResult:
    """What went wrong, on few lines. Servers put whole pages there, and what they were given."""
    cleaned = clean(words[: CLEANED_PER_SHOWN * LONGEST_FAILURE])
    return ToolResult("error", visible(_cut_text(cleaned, min(limit, LONGEST_FAILURE))[0]))


def _shape_text(text: str, limit: int, clean: Clean, keep_end: bool = False) -> ToolResult:
    window = CLEANED_PER_SHOWN * limit
    kept = text[-window:] if keep_end else text[:window]
    breaks = text.count("\n")
    if not breaks:
        return _one_line(clean(kept), len(text), limit)
    return ToolResult("ok", *_cut_text(clean(kept), limit, keep_end, beyond=breaks - kept.count("\n")))


def _one_line(text: str, characters: int, limit: int) -> ToolResult:
    """``text`` may be the beginning of a line that has so many characters."""
    if len(text) <= limit:
        return ToolResult("ok", text)
    return ToolResult("ok", f"{text[:limit]}… ({characters - limit} characters left out)", 1)


def _shape_value(value: Any, limit: int, clean: Clean) -> ToolResult:
    around, rows = find_rows(value)
    if rows is None:
        if not value and not isinstance(value, int | float):
            return ToolResult("no_data", "no data")
        if isinstance(value, str):
            return _shape_text(value, limit, clean)
        # The beginning is all that can be shown.
        beginning = clean_value(_beginning(value, CLEANED_PER_SHOWN * limit), clean)
        return _one_line(_compact(beginning), len(_compact(value)), limit)
    heading = "; ".join(f"{name}: {word}" for name, word in clean_value(around, clean).items())
    if not rows:
        return ToolResult("no_data", f"no data ({heading})" if heading else "no data")
    fixed, lines = table_lines(rows, clean=clean, most=limit)  # a row takes a character at least
    top = [part for part in (heading, *fixed) if part]
    kept, _ = _fitting(lines, limit - sum(len(line) + 1 for line in top) - 60)
    left_out = len(rows) - len(kept)
    note = [f"({left_out} of {len(rows)} rows left out; ask for less)"] if left_out else []
    return ToolResult("ok", "\n".join((*top, *kept, *note)), left_out)


def _fitting(lines: list[str], limit: int) -> tuple[list[str], int]:
    """As many lines from the top as fit, at least one, and the number of those that do not."""
    used = 0
    kept: list[str] = []
    for line in lines:
        line = line if len(line) <= LONGEST_LINE else line[:LONGEST_LINE] + "…"
        used += len(line) + 1
        if kept and used > limit:
            break
        kept.append(line)
    return kept, len(lines) - len(kept)


def _cut_text(text: str, limit: int, keep_end: bool = False, beyond: int = 0) -> tuple[str, int]:
    """``beyond`` are lines that were cut off before, of which only the number is told."""
    if len(text) <= limit and not beyond:
        return text, 0
    lines = text.splitlines()
    kept, left_out = _fitting(lines[::-1] if keep_end else lines, limit - 60)
    left_out += beyond
    total = len(lines) + beyond
    if keep_end:
        return "\n".join((f"({left_out} of {total} earlier lines left out)", *kept[::-1])), left_out
    return "\n".join((*kept, f"({left_out} of {total} lines left out; ask for less)")), left_out


def _beginning(value: Any, characters: int) -> Any:
    """As much of a value as takes about so many characters; the rest becomes a mark."""
    left = characters

    def part(inner: Any) -> Any:
        nonlocal left
        if left <= 0:
            return "…"
        if isinstance(inner, dict):
            found = {}
            for name, one in inner.items():
                left -= len(name)
                found[name] = part(one)
                if left <= 0:
                    break
            return found
        if isinstance(inner, list):
            items = []
            for one in inner:
                items.append(part(one))
                if left <= 0:
                    break
            return items
        left -= len(inner) if isinstance(inner, str) else 4
        return inner

    return part(value)


def _is_failure(text: str, value: Any) -> bool:
    if isinstance(value, dict):
        if value.get("status") == "error" or value.get("isError") is True or value.get("success") is False:
            return True
        # An empty "error" beside data is how some servers say that all went well.
        return bool(value.get("error")) and not any(value.get(key) for key in ("data", "items", "result", "results"))
    if value is not None:
        return False
    beside = STANDARD_ERROR.search(text)
    if beside and (beside.start() == 0 or text.startswith("ERROR", beside.end())):
        return True
    return text.startswith(FAILURE_STARTS) or (text.startswith(ONE_LINE_STARTS) and "\n" not in text)


def _failure_words(text: str, value: Any) -> str:
    if isinstance(value, dict):
        found = value.get("error") or value.get("message") or value.get("errors")
        if isinstance(found, dict):
            found = found.get("message") or _compact(found)
        if found:
            return str(found)
    beside = STANDARD_ERROR.search(text)
    return (text[beside.end() :] if beside else text).strip() or "the server reported a failure without a reason"


def _json(text: str) -> Any:
    """The value of JSON, or the list of values of one JSON object a line; None for other text."""
    if not text or text[0] not in '[{"':
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        values = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        return None
    return values if all(isinstance(value, dict) for value in values) else None


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
