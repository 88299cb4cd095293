"""What a sender tells beside an alert's labels and annotations: Grafana's values and links, and how many were left out.

Kept among the annotations, under private names that no sender can give (``alert.is_private``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from opscrew.store.text import LONGEST_SENTENCE, storable

VALUES, LINK, LEFT_OUT = "__values_told__", "__link_told__", "__left_out__"
MOST_VALUES = 6
LONGEST_VALUES = 200

_VALUE = re.compile(r"(?:var|metric)='([^']*)'[^\]]*?\bvalue=(\S+?)[\s\]]")
"""Of ``valueString``: ``[ var='B' labels={host=a} type='reduce' value=6.7 ]``."""


def values_told(values: Any, written: Any = "") -> str:
    """Grafana's values by the letter of their expression: "B = 6.705, C = 1". Empty where it gave none."""
    pairs = list(values.items()) if isinstance(values, Mapping) else []
    pairs = [(str(name), value) for name, value in pairs if isinstance(value, int | float)]
    if not pairs and isinstance(written, str):
        pairs = [(name, number) for name, text in _VALUE.findall(written) if (number := _number(text)) is not None]
    told = [f"{name} = {float(value):.4g}" if name else f"{float(value):.4g}" for name, value in pairs[:MOST_VALUES]]
    return storable(", ".join(told), LONGEST_VALUES)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def link_told(candidates: list[Any], grafana: str) -> str:
    """The first of these addresses that is on the configured Grafana: what stands in a body may lead anywhere."""
    ours = _host(grafana)
    for one in candidates:
        if isinstance(one, str) and ours is not None and _host(one) == ours:
            return storable(one, LONGEST_SENTENCE)
    return ""


def panel_link(grafana: str, dashboard: str, panel: str) -> str:
    """As Grafana's own notifications write it."""
    if not grafana or not dashboard:
        return ""
    return f"{grafana.rstrip('/')}/d/{quote(dashboard, safe='')}" + (
        f"?viewPanel={quote(panel, safe='')}" if panel else ""
    )


def asides(values: str = "", link: str = "", left_out: int = 0, sent: int = 0) -> dict[str, str]:
    """As they are kept; what is empty is left out. ``sent`` are the alerts that the delivery held."""
    told = {VALUES: values, LINK: link, LEFT_OUT: f"{left_out} {sent}" if left_out else ""}
    return {name: value for name, value in told.items() if value}


def left_out_of(annotations: Mapping[str, str]) -> tuple[int, int]:
    """How many further alerts the sender left out of the delivery, and how many it sent; zeros where it sent all."""
    cut, _, sent = annotations.get(LEFT_OUT, "0 0").partition(" ")
    return int(cut), int(sent)


def _host(address: str) -> str | None:
    """The host, of an address that a person may follow."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    good = parts.scheme in ("http", "https") and parts.username is None
    return parts.hostname.lower() if good and parts.hostname else None
