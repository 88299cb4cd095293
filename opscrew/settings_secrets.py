"""Secrets among the settings: a blank one is none, and all of them can be listed to be kept out of sight."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, SecretStr

SHORTEST = 6
"""Characters. A shorter one is guessed in no time, and could only be kept out of sight by masking parts of words."""


def _set_or_none(value: SecretStr | None) -> SecretStr | None:
    """A blank secret is none: as a token or a key that anybody can guess it would open what it should shut."""
    text = value.get_secret_value().strip() if value is not None else ""
    if 0 < len(text) < SHORTEST:
        raise ValueError(f"is a secret of fewer than {SHORTEST} characters; use a longer one")
    return value if text else None


def without_blank(values: dict[str, SecretStr]) -> dict[str, SecretStr]:
    """The same for secrets by name."""
    return {name: value for name, value in values.items() if _set_or_none(value)}


def sendable(value: SecretStr | None) -> SecretStr | None:
    """The value, fit for a header. A mistake is told when the program starts and without the value, since the HTTP
    library would complain in its own words."""
    text = value.get_secret_value() if value is not None else ""
    if not (text.isascii() and text.isprintable()):
        raise ValueError("holds a line break or a sign that no token has; is it the whole token and nothing else?")
    return value


Secret = Annotated[SecretStr | None, AfterValidator(_set_or_none)]
Token = Annotated[SecretStr | None, AfterValidator(_set_or_none), AfterValidator(sendable)]
"""A secret that we send in an HTTP header."""


def secrets_in(value: Any) -> Iterator[SecretStr]:
    """Every secret in a tree of settings."""
    if isinstance(value, SecretStr):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from secrets_in(getattr(value, name))
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from secrets_in(inner)
    elif isinstance(value, tuple):
        for inner in value:
            yield from secrets_in(inner)
