"""Lists in pages, the way the API gives them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from fastapi import HTTPException, Request

Value = TypeVar("Value")


def page_of(request: Request, values: Sequence[Value], shown: Callable[[Value], dict[str, Any]]) -> dict[str, Any]:
    """One page with ``next``; page and pagelen come from the query. Refuses a pagelen beyond 100."""
    number = _whole(request, "page", 1)
    length = _whole(request, "pagelen", 10)
    if not 1 <= length <= 100 or number < 1:
        raise HTTPException(400, "Invalid pagelen")
    start = (number - 1) * length
    body: dict[str, Any] = {
        "page": number,
        "pagelen": length,
        "size": len(values),
        "values": [shown(value) for value in values[start : start + length]],
    }
    if start + length < len(values):
        body["next"] = str(request.url.include_query_params(page=number + 1))
    if number > 1:
        body["previous"] = str(request.url.include_query_params(page=number - 1))
    return body


def _whole(request: Request, name: str, default: int) -> int:
    try:
        return int(request.query_params.get(name, default))
    except ValueError:
        raise HTTPException(400, f"Invalid {name}") from None
