"""Where people are told, and of what: the part ``notify`` of the settings.

The address of a channel holds its secret (a webhook's token, a mail account's password), so the whole address counts as
one. It never stands in ``crew.yaml``: the file that holds it is named there, or it comes from the environment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    field_validator,
    model_validator,
)

from opscrew.actions.quiet_hours import parse_quiet_hours
from opscrew.errors import UsageError
from opscrew.settings_secrets import without_blank

CLOCK = r"^([01]\d|2[0-3]):[0-5]\d$"

Kind = Literal["findings", "actions", "alerts", "digest"]

MESSAGE_KINDS: tuple[Kind, ...] = ("findings", "actions", "alerts", "digest")

_SHORTEST_PIECE = 8
"""Characters of a part of an address that is kept out of sight by itself: libraries take addresses apart."""


class ChannelSettings(BaseModel):
    """One place where people read, under a name of our own. ``severity`` is the least of findings and alerts that is
    told; actions are told whatever they are. ``codes`` and ``scopes`` are patterns as in ``policy``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")
    url_file: Path | None = None
    """The file that holds the channel's address, as apprise writes it."""
    severity: Literal["info", "warning", "critical"] = "warning"
    kinds: tuple[Kind, ...] = MESSAGE_KINDS
    codes: tuple[str, ...] = ("*",)
    scopes: tuple[str, ...] = ("*",)
    quiet_hours: str = ""
    """In ``timezone``. What falls into them comes with the digest, or when they end where there is none."""
    critical_in_quiet_hours: bool = False
    digest_at: str = Field(default="08:00", pattern=CLOCK)
    """Time of day in ``timezone``; sent only where ``kinds`` has digest."""
    timeout_seconds: float = Field(default=15, gt=0, le=60)

    _url: SecretStr | None = PrivateAttr(default=None)
    _problem: str = PrivateAttr(default="")

    @field_validator("quiet_hours")
    @classmethod
    def _is_readable(cls, text: str) -> str:
        try:
            parse_quiet_hours(text, ZoneInfo("UTC"))
        except UsageError as problem:
            raise ValueError(f"{problem.message.removeprefix('quiet_hours: ')}. {problem.hint}") from None
        return text

    @model_validator(mode="before")
    @classmethod
    def _no_secret_in_the_file(cls, values: Any) -> Any:
        if isinstance(values, dict) and "url" in values:
            raise ValueError("url is a secret: name the file that holds it as url_file, or set CREW_NOTIFY__URLS")
        return values

    def model_post_init(self, _context: Any) -> None:
        """Reads the address. One that cannot be read is told by the doctor and as a finding, and stops nothing else."""
        if self.url_file is None:
            return
        try:
            text = self.url_file.expanduser().read_text(encoding="utf-8").strip()
        except (OSError, RuntimeError, UnicodeDecodeError) as problem:
            self._problem = f"{self.url_file} cannot be read: {getattr(problem, 'strerror', None) or 'it is no text'}"
            return
        self._url = SecretStr(text) if text else None
        self._problem = "" if text else f"{self.url_file} is empty"


class NotifySettings(BaseModel):
    """``urls`` are addresses by the channel's name, as JSON in ``CREW_NOTIFY__URLS`` or its ``_FILE``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channels: tuple[ChannelSettings, ...] = ()
    urls: Annotated[dict[str, SecretStr], AfterValidator(without_blank)] = Field(default_factory=dict)
    overdue_hours: float = Field(default=24, gt=0, le=24 * 365)
    """A finding that is open for so long is told once more."""

    @model_validator(mode="after")
    def _names_fit(self) -> NotifySettings:
        names = [channel.name for channel in self.channels]
        if twice := next((name for name in names if names.count(name) > 1), ""):
            raise ValueError(f"two channels are called {twice}")
        if unknown := sorted(set(self.urls) - set(names)):
            raise ValueError(f"CREW_NOTIFY__URLS names {unknown[0]}, and no channel is called so")
        return self

    def url_of(self, channel: ChannelSettings) -> str:
        """The channel's address; empty where there is none, for which ``problem_of`` says why."""
        found = self.urls.get(channel.name) or channel._url
        return found.get_secret_value().strip() if found else ""

    def problem_of(self, channel: ChannelSettings) -> str:
        """Why the channel has no address."""
        return channel._problem or "no address is set"

    def secrets(self) -> Iterator[str]:
        """Every address, and the parts of each that libraries may show on their own."""
        for channel in self.channels:
            url = self.url_of(channel)
            if url:
                yield url
                yield from _pieces(url)


def _pieces(url: str) -> Iterator[str]:
    scheme, _, rest = url.partition("://")
    for number, piece in enumerate(re.split(r"[/:@?&=#,\s]", rest)):
        # The first part is often a host, which people have to read; where it is a token it has no dot.
        if len(piece) >= _SHORTEST_PIECE and piece != scheme and not (number <= 2 and "." in piece):
            yield piece
