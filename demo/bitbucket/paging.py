"""Lists in pages, the way the API gives them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

from fastapi import HTTPException, Request

Value = TypeVar("Value")


def page_of(request: Request, values: Sequence[Value], shown: Callable[[Value], dict[str, Any]]) -> dict[str, Any]:
    """One page; page and pagelen come from the query. Refuses a pagelen beyond 100."""
    number = _whole(request, "page", 1)
    length = _whole(request, "pagelen", 10)
    if not 1 <= length <= 100 or number < 1:
        raise HTTPException(400, "Invalid pagelen")
    start = (number - 1) * length
    world = request.app.state.world
    body: dict[str, Any] = {
        "page": number,
        "pagelen": length,
        "values": [world.reshape(shown(value)) for value in values[start : start + length]],
    }
    if not world.pages_tell_next:
        return body if body["values"] or number == 1 else {}
    body["size"] = len(values)
    if start + length < len(values):
        body["next"] = _next_address(request, number + 1, length)
    return body


def _next_address(request: Request, number: int, length: int) -> str:
    """As recorded for pipelines: UUIDs in place of names, page and pagelen, and nothing else of what was asked."""
    world, path = request.app.state.world, request.url.path
    entry = world.repositories.get(request.path_params.get("repo", ""))
    if entry is not None:
        names = f"/repositories/{world.workspace}/{entry.slug}/"
        path = path.replace(names, f"/repositories/{quote(world.uuid)}/{quote(entry.uuid)}/", 1)
    return str(request.url.replace(path=path, query=f"page={number}&pagelen={length}"))


def _whole(request: Request, name: str, default: int) -> int:
    try:
        return int(request.query_params.get(name, default))
    except ValueError:
        raise HTTPException(400, f"Invalid {name}") from None
