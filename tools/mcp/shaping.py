"""Makes a tool's answer readable for a small model: tables instead of JSON, a cap with a count of what was cut.

Also tells failures and empty answers apart from results, since several servers report both as success.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from tools.mcp.tables import find_rows, table_lines

Status = Literal["ok", "no_data", "error"]

FAILURE_STARTS = ("STDERR:", '{"error"')
"""How Google's servers begin a failure that they send as success."""
ONE_LINE_STARTS = ("Error:", "error:", "failed to ", "Failed to ")
"""How others do, in one line. A log may begin with the same words, and goes on."""
NOTHING = re.compile(
    r"(?:|\[\]|\{\}|null|none|\"\"|no (?:data|results?|events?|logs?|resources?)[^\n]{0,60})", re.IGNORECASE
)
LONGEST_LINE = 400


@dataclass(frozen=True)
class ToolResult:
    """What a call gave. ``left_out`` counts rows or lines that did not fit; ``seconds`` is the wall time."""

    status: Status
    text: str
    left_out: int = 0
    seconds: float = 0.0


def shape(text: str, *, failed: bool, limit: int, clean: Callable[[str], str], keep_end: bool = False) -> ToolResult:
    """``text`` as the server sent it, ``failed`` as it said. ``clean`` takes secrets out; ``limit`` is characters.

    ``keep_end`` is for logs, whose last lines matter most.
    """
    text = clean(text).strip()
    value = _json(text)
    if failed or _is_failure(text, value):
        return ToolResult("error", _cut_text(_failure_words(text, value), min(limit, 600))[0])
    if value is not None:
        return _shape_value(value, limit)
    if NOTHING.fullmatch(text):
        return ToolResult("no_data", "no data")
    shaped, left_out = _cut_text(text, limit, keep_end)
    return ToolResult("ok", shaped, left_out)


def _shape_value(value: Any, limit: int) -> ToolResult:
    around, rows = find_rows(value)
    if rows is None:
        if not value and not isinstance(value, int | float):
            return ToolResult("no_data", "no data")
        shaped, left_out = _cut_text(value if isinstance(value, str) else _compact(value), limit)
        return ToolResult("ok", shaped, left_out)
    heading = "; ".join(f"{name}: {word}" for name, word in around.items())
    if not rows:
        return ToolResult("no_data", f"no data ({heading})" if heading else "no data")
    fixed, lines = table_lines(rows)
    top = [part for part in (heading, *fixed) if part]
    kept, left_out = _fitting(lines, limit - sum(len(line) + 1 for line in top) - 60)
    note = [f"({left_out} of {len(lines)} rows left out; ask for less)"] if left_out else []
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


def _cut_text(text: str, limit: int, keep_end: bool = False) -> tuple[str, int]:
    if len(text) <= limit:
        return text, 0
    lines = text.splitlines()
    if len(lines) == 1:
        return f"{text[:limit]}… ({len(text) - limit} characters left out)", 1
    if keep_end:
        kept, left_out = _fitting(lines[::-1], limit - 60)
        return "\n".join((f"({left_out} of {len(lines)} earlier lines left out)", *kept[::-1])), left_out
    kept, left_out = _fitting(lines, limit - 60)
    return "\n".join((*kept, f"({left_out} of {len(lines)} lines left out; ask for less)")), left_out


def _is_failure(text: str, value: Any) -> bool:
    if isinstance(value, dict):
        if value.get("status") == "error" or value.get("isError") is True or value.get("success") is False:
            return True
        # An empty "error" beside data is how some servers say that all went well.
        return bool(value.get("error")) and not any(value.get(key) for key in ("data", "items", "result", "results"))
    return value is None and (
        text.startswith(FAILURE_STARTS) or (text.startswith(ONE_LINE_STARTS) and "\n" not in text)
    )


def _failure_words(text: str, value: Any) -> str:
    if isinstance(value, dict):
        found = value.get("error") or value.get("message") or value.get("errors")
        if isinstance(found, dict):
            found = found.get("message") or _compact(found)
        if found:
            return str(found)
    return text.removeprefix("STDERR:").strip() or "the server reported a failure without a reason"


def _json(text: str) -> Any:
    """The value of JSON, or the list of values of one JSON object a line; None for other text."""
    if not text or text[0] not in '[{"':
        return None
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        values = [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError:
        return None
    return values if all(isinstance(value, dict) for value in values) else None


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
