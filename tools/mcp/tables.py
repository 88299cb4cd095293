"""Finds the list of things inside a JSON answer and writes it as a table.

A list of 200 objects repeats every key 200 times; as a table it takes a third of the tokens. Columns that say the
same in every row are told once, above it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tools.cleaning import Clean, clean_value

DEEPEST = 3
LONGEST_CELL = 160
LOOKED_AT = 4 * LONGEST_CELL
"""Characters of a cell that are cleaned before it is cut, so that no cut hides a secret from the cleaning."""
MOST_COLUMNS = 12
UNINTERESTING = {"status": ("success",), "resultType": (), "stats": (), "isPartial": ("false",)}
"""What query answers wrap their rows in; with these words, or with any where none are named."""


def find_rows(value: Any, depth: int = 0) -> tuple[dict[str, str], list[dict[str, Any]] | None]:
    """What stands around the list, and the list itself; None where the value holds no single list of objects."""
    if isinstance(value, list):
        objects = [row for row in value if isinstance(row, dict)]
        return ({}, objects) if len(objects) == len(value) else ({}, None)
    if not isinstance(value, dict) or depth > DEEPEST:
        return {}, None
    around = {
        key: _cell(inner)
        for key, inner in value.items()
        if not isinstance(inner, list | dict) and inner is not None and inner != ""
    }
    holders = [(key, inner) for key, inner in value.items() if isinstance(inner, list | dict) and inner]
    if not holders:
        empty = any(isinstance(inner, list) for inner in value.values())
        return (around, []) if empty else ({}, None)
    lists = []
    for key, inner in holders:
        inner_around, rows = find_rows(inner, depth + 1)
        if rows is not None:
            lists.append((inner_around, rows))
        else:
            around[key] = _cell(inner)
    if len(lists) != 1 or any(len(word) > LONGEST_CELL for word in around.values()):
        return {}, None  # two lists, or one beside something else that matters as much
    around |= lists[0][0]
    return {key: word for key, word in around.items() if not _is_uninteresting(key, word)}, lists[0][1]


def table_lines(
    rows: Sequence[Mapping[str, Any]], *, clean: Clean = str, most: int | None = None
) -> tuple[list[str], list[str]]:
    """The lines above the table (what all rows share, and the names of the columns), and one line for each row.

    At most ``most`` rows are written; what all share is judged by all of them.
    """
    flat = [_flat(row) for row in rows]
    cleaned = [_flat(clean_value(row, clean, longest=LOOKED_AT)) for row in rows[:most]]
    columns = list(dict.fromkeys(name for row in flat for name in row))
    shared = {}
    if len(flat) > 1:
        shared = {
            name: flat[0][name]
            for name in columns
            if name != "value" and all(row.get(name) == flat[0].get(name) for row in flat)
        }
    rest = [name for name in columns if name not in shared]
    if not rest:
        rest, shared = columns, {}
    shown, dropped = rest[:MOST_COLUMNS], rest[MOST_COLUMNS:]
    top = []
    if shared:
        top.append("same in every row: " + ", ".join(f"{name}={_cut(cleaned[0][name])}" for name in shared))
    if dropped:
        top.append(f"columns left out: {', '.join(dropped)}"[:300])
    top.append(" | ".join(shown))
    return top, [" | ".join(_cut(row.get(name, "")) for name in shown) for row in cleaned]


def _is_uninteresting(key: str, word: str) -> bool:
    return key in UNINTERESTING and (not UNINTERESTING[key] or word in UNINTERESTING[key])


def _flat(row: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """One level of names joined by dots. A sample or series of Prometheus becomes its labels and its numbers."""
    found: dict[str, str] = {}
    for name, value in row.items():
        if isinstance(value, dict) and len(prefix.split(".")) <= DEEPEST:
            # "metric" only wraps the labels in Prometheus answers.
            found |= _flat(value, "" if name == "metric" and not prefix else f"{prefix}{name}.")
        elif name == "value" and _is_sample(value):
            found |= {"value": str(value[1])}
        elif name == "values" and _is_series(value):
            found |= _series(value)
        else:
            found[f"{prefix}{name}"] = _cell(value)
    return found


def _is_series(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(_is_sample(one) for one in value)


def _is_sample(value: Any) -> bool:
    """A pair of unix time and number as text, as Prometheus writes it."""
    if not isinstance(value, list) or len(value) != 2:
        return False
    if not isinstance(value[0], int | float) or not isinstance(value[1], str):
        return False
    try:
        float(value[1])
    except ValueError:
        return False
    return True


def _series(samples: Sequence[Any]) -> dict[str, str]:
    """Points over time in five numbers: enough to say whether something rose, and small."""
    numbers = [float(one[1]) for one in samples]
    return {
        "points": str(len(numbers)),
        "first": f"{numbers[0]:g}",
        "last": f"{numbers[-1]:g}",
        "min": f"{min(numbers):g}",
        "max": f"{max(numbers):g}",
    }


def _cell(value: Any) -> str:
    """On one line, not yet cut to its final length."""
    if isinstance(value, str):
        text = value
    elif value is None:
        text = ""
    elif isinstance(value, list) and all(isinstance(one, str | int | float) for one in value):
        text = ", ".join(str(one) for one in value)
    else:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return " ".join(text[:LOOKED_AT].split())


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_CELL else text[:LONGEST_CELL] + "…"
