"""Secrets among the settings: a blank one is none, and all of them can be listed to be kept out of sight."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, SecretStr


def _set_or_none(value: SecretStr | None) -> SecretStr | None:
    """A blank secret is none: as a token or a key that anybody can guess it would open what it should shut."""
    return value if value is not None and value.get_secret_value().strip() else None


def without_blank(values: dict[str, SecretStr]) -> dict[str, SecretStr]:
    """The same for secrets by name."""
    return {name: value for name, value in values.items() if _set_or_none(value)}


Secret = Annotated[SecretStr | None, AfterValidator(_set_or_none)]


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
