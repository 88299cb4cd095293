"""Finds one row by the first characters of its id, as a person types them, and helps when that does not work."""

from __future__ import annotations

import difflib

from sqlalchemy import Column, ColumnElement, Connection, select, true

from opscrew.errors import CrewError, NotFoundError

_SHOWN = 5
_COMPARED = 5_000
"""Ids that a mistyped one is compared with. More would only cost time."""


def find_by_prefix(
    connection: Connection, column: Column[str], prefix: str, *, noun: str, among: ColumnElement[bool] | None = None
) -> str:
    """The one id that starts with ``prefix``, of the rows for which ``among`` holds; others are not even named.

    Raises ``CrewError`` when none does (naming near ones) or several do (naming them).
    """
    wanted = prefix.strip().lower()
    listing = f"`crew {noun}s list` shows the ids."
    if not wanted:
        raise CrewError(f"give the id of a {noun}, or its first characters", listing)
    seen = select(column).where(true() if among is None else among)
    query = seen.where(column.startswith(wanted, autoescape=True)).order_by(column).limit(_SHOWN + 1)
    found = [str(row[0]) for row in connection.execute(query)]
    if wanted in found or len(found) == 1:
        return wanted if wanted in found else found[0]
    if found:
        more = ", …" if len(found) > _SHOWN else ""
        raise CrewError(f"{prefix} could be several {noun}s: {', '.join(found[:_SHOWN])}{more}", "Write more of it.")
    known = [str(row[0]) for row in connection.execute(seen.limit(_COMPARED))]
    raise NotFoundError(f"there is no {noun} {prefix}", _near(wanted, known) or listing)


def _near(wanted: str, known: list[str]) -> str:
    # Only as many characters as were typed are compared, or a short prefix would resemble nothing.
    starts = {identity[: len(wanted)]: identity for identity in known}
    near = difflib.get_close_matches(wanted, list(starts), n=3, cutoff=0.6)
    return f"Did you mean {' or '.join(starts[start] for start in near)}?" if near else ""
