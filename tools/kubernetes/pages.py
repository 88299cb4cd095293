"""One page of a list answer: metadata, and items that become objects one at a time.

Half of a list is ``managedFields``, of which only the times are read, and only of custom resources. Items are therefore
kept as the bytes they came in, and each is decoded without that field when its turn comes: a third of the time, and no
page is ever whole in memory as objects.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypedDict

import msgspec


class _Page(TypedDict, total=False):
    kind: Any
    metadata: Any
    items: list[dict[str, msgspec.Raw]] | None


class _Metadata(TypedDict, total=False):
    """The fields of ObjectMeta but for ``managedFields`` and ``selfLink``; whatever stands in them is let through."""

    name: Any
    generateName: Any
    namespace: Any
    uid: Any
    resourceVersion: Any
    generation: Any
    creationTimestamp: Any
    deletionTimestamp: Any
    deletionGracePeriodSeconds: Any
    labels: Any
    annotations: Any
    ownerReferences: Any
    finalizers: Any


class _Writer(TypedDict, total=False):
    time: Any
    subresource: Any


class _CustomMetadata(_Metadata, total=False):
    managedFields: list[_Writer]


_page = msgspec.json.Decoder(_Page)
_metadata = msgspec.json.Decoder(_Metadata)
_custom_metadata = msgspec.json.Decoder(_CustomMetadata)
_anything = msgspec.json.Decoder()


@dataclass(frozen=True)
class Page:
    """``items`` can be gone through once. ``is_list`` is false for an answer that is no list at all."""

    metadata: Any
    items: Iterator[dict[str, Any]]
    is_list: bool


def read_page(content: bytes) -> Page:
    """Raises ``ValueError`` for what is no JSON object. Members of ``items`` that are no objects are left out."""
    try:
        page = _page.decode(content)
    except msgspec.ValidationError:
        return _read_oddly_shaped(content)
    except msgspec.DecodeError as problem:
        raise ValueError(str(problem)) from problem
    items = page.get("items")
    is_list = items is not None or str(page.get("kind", "")).endswith("List")
    return Page(page.get("metadata"), map(_decoded, items or ()), is_list)


def _decoded(item: dict[str, msgspec.Raw]) -> dict[str, Any]:
    # Only items of custom kinds say what they are; those of built-in lists leave it to the list.
    decoder = _custom_metadata if "apiVersion" in item else _metadata
    return {
        name: _of_metadata(raw, decoder) if name == "metadata" else _anything.decode(raw) for name, raw in item.items()
    }


def _of_metadata(raw: msgspec.Raw, decoder: msgspec.json.Decoder[Any]) -> Any:
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError:
        return _anything.decode(raw)  # no object at all; readers of fields take it for empty


def _read_oddly_shaped(content: bytes) -> Page:
    decoded = _anything.decode(content)
    if not isinstance(decoded, dict):
        raise ValueError("the answer is no JSON object")
    items = decoded.get("items")
    found = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    is_list = isinstance(items, list) or str(decoded.get("kind", "")).endswith("List")
    return Page(decoded.get("metadata"), iter(found), is_list)
