"""Takes out of texts the secrets that we know, beside those that look like one.

A server that refuses a token often repeats it, and a token of one's own making has no shape to be known by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr

from opscrew.redaction import MASK, redact
from opscrew.settings import Settings

SHORTEST = 6
"""A shorter one would take ordinary words apart, and protects nothing."""


def cleaner(settings: Settings) -> Callable[[str], str]:
    """``redact``, and every secret of these settings besides."""
    # Longest first, since one secret may hold another.
    known = sorted({one for one in _secrets(settings) if len(one) >= SHORTEST}, key=len, reverse=True)

    def clean(text: str) -> str:
        for secret in known:
            text = text.replace(secret, MASK)
        return redact(text)

    return clean


def _secrets(value: Any) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets(getattr(value, name))
        if isinstance(value, Settings) and value.database:
            yield urlsplit(value.database).password or ""
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _secrets(one)
    elif isinstance(value, tuple):
        for one in value:
            yield from _secrets(one)
