"""One place that messages go to, built from an apprise address.

The address is a secret as a whole, so nothing here shows it: errors name the channel as the settings call it, causes
are not chained (requests quotes addresses in its errors), and apprise's own log is silent. Apprise is imported on first
use: it takes a second, which no other command should pay for.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal
from urllib.parse import urlsplit

from tools.errors import PermanentError, TemporaryError
from tools.notify.exchange import Exchange, watching

SYSTEM = "notify"
Tone = Literal["info", "success", "warning", "failure"]

SHORTEST_ROOM = 40
"""Characters that a body gets at the least, whatever the service's own bound says."""

CUT = "…"

# Apprise's word for "no answer in time" in a result.
_TIMEOUT = "TIMEOUT"


class MessageRefusedError(PermanentError):
    """The service takes messages, and not this one: another may pass."""


@dataclass(frozen=True)
class Message:
    """``lines`` are plain text, the most important first and what to do last."""

    title: str
    lines: tuple[str, ...]
    tone: Tone = "info"


class Target:
    """``name`` is the channel's name, for errors. Raises ``PermanentError`` for an address that apprise cannot read,
    and for one that names several people: half of them reached could neither be repeated nor left."""

    def __init__(self, name: str, url: str, timeout_seconds: float = 15) -> None:
        self.name = name
        self._seconds = timeout_seconds
        apprise = _apprise()
        try:
            service = apprise.Apprise.instantiate(url, asset=_asset(timeout_seconds), suppress_exceptions=True)
        except Exception:  # noqa: BLE001  whatever a plug-in makes of a wrong address; its words may quote it
            service = None
        if service is None:
            raise self._permanent("apprise cannot read its address", "docs/NOTIFY.md shows how addresses are written.")
        service.retry = 0  # `retry=` in an address would send again on its own
        service.socket_connect_timeout = min(timeout_seconds, 10)
        service.socket_read_timeout = timeout_seconds
        recipients = len(service)
        if recipients > 1:
            what = f"its address names {recipients} recipients"
            raise self._permanent(what, "Make a channel for each, so that each is told exactly once.")
        self._service: Any = service

    def __repr__(self) -> str:
        return f"Target({self.name!r})"

    @property
    def service(self) -> str:
        """What it is, for people: "Slack", "E-Mail"."""
        return str(self._service.service_name)

    @property
    def door(self) -> tuple[str, int] | None:
        """Host and port that a message is sent to; ``None`` where the service does not say."""
        own = str(getattr(self._service, "host", "") or "")
        if "." in own or own == "localhost":
            port = getattr(self._service, "port", None)
            return own, int(port) if port else (443 if getattr(self._service, "secure", False) else 80)
        for name in ("webhook_url", "notify_url", "cloud_notify_url", "api_url"):
            parts = urlsplit(str(getattr(self._service, name, "") or ""))
            if parts.hostname:
                return parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
        return None

    def send(self, message: Message) -> None:
        """Sends once. Raises ``TemporaryError``, whose ``not_accepted`` says that it certainly did not arrive and may
        be sent again, or ``PermanentError``."""
        apprise = _apprise()
        sender = apprise.Apprise(asset=_asset(self._seconds))
        sender.add(self._service)
        title, body = self._fitted(message)
        try:
            with watching() as exchange:
                result = sender.notify(
                    body=body, title=title, notify_type=message.tone, body_format=apprise.NotifyFormat.TEXT
                )
        except Exception as problem:  # noqa: BLE001  any plug-in, any library below it; its words may quote the address
            raise self._unclear(f"stopped with {type(problem).__name__}") from None
        if not result:
            raise self._refused(exchange, getattr(getattr(result, "status", None), "name", ""))

    def _fitted(self, message: Message) -> tuple[str, str]:
        """Whole lines as far as the service's own bound allows; the last line, which says what to do, stays."""
        title_room = int(self._service.title_maxlen)
        room = max(SHORTEST_ROOM, int(self._service.body_maxlen)) - (0 if title_room else len(message.title) + 2)
        # Services escape some characters, which then take up to five; four in five are plain in what we write.
        return shortened(message.title, title_room or 250), fitted(message.lines, max(SHORTEST_ROOM, room * 4 // 5))

    def _refused(self, exchange: Exchange, outcome: str) -> TemporaryError | PermanentError:
        if outcome == _TIMEOUT or exchange.lost:
            return self._unclear(f"no answer within {self._seconds:g} s")
        if not exchange.reached:
            return self._temporary("cannot be reached", "Is the service up, and does this machine get out to it?")
        status = exchange.status
        if status == 504:
            return self._unclear("a gateway gave up waiting (504)")
        if status in (408, 425, 429) or status >= 500:
            return self._temporary(f"answered {status}", "It is tried again by itself.", exchange.retry_after)
        if status in (400, 413, 422):
            where = {"system": SYSTEM, "url": self.name}
            return MessageRefusedError(f"refuses this message ({status})", **where, hint="`crew notify list` shows it.")
        if status >= 300:
            what = "sends us elsewhere" if status < 400 else "does not let us in"
            return self._permanent(f"{what} ({status})", "Make a new address, and put it into the file of its secret.")
        # Nothing of it was seen: a service that is no web service, or one that says no in an answer of its own.
        return self._temporary("did not take the message", "`crew notify test` tries it; is the address still valid?")

    def _temporary(self, message: str, hint: str, retry_after: float | None = None) -> TemporaryError:
        return TemporaryError(
            message, system=SYSTEM, url=self.name, hint=hint, retry_after=retry_after, not_accepted=True
        )

    def _unclear(self, message: str) -> TemporaryError:
        hint = "It may have arrived, so it is not sent again."
        return TemporaryError(message, system=SYSTEM, url=self.name, hint=hint)

    def _permanent(self, message: str, hint: str) -> PermanentError:
        return PermanentError(message, system=SYSTEM, url=self.name, hint=hint)


def fitted(lines: tuple[str, ...], room: int) -> str:
    """The lines as one text of at most ``room`` characters. Lines before the last are left out as a whole, from the
    end; where not even the first and the last fit, they are cut visibly."""
    kept = list(lines)
    while len(kept) > 2 and len("\n".join(kept)) > room:
        del kept[-2]
    text = "\n".join(kept)
    if len(text) <= room or len(kept) < 2:
        return shortened(text, room)
    last = shortened(kept[-1], room // 2)
    return f"{shortened(kept[0], room - len(last) - 1)}\n{last}"


def shortened(text: str, room: int) -> str:
    """At most ``room`` characters, cut visibly."""
    return text if len(text) <= room else text[: max(0, room - 1)] + CUT


@cache
def _apprise() -> Any:
    """The library, quiet: it logs hosts at INFO and whole addresses at DEBUG, and urllib3 the paths of its requests."""
    import apprise

    logging.getLogger("apprise").disabled = True
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    return apprise


def _asset(seconds: float) -> Any:
    """No file in HOME, no keys of its own making, no pictures or links of others in our messages, no second try, and
    never on to where an answer points: a message that was sent elsewhere would count as delivered."""
    return _apprise().AppriseAsset(
        app_id="crew",
        app_desc="crew",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        image_path_mask=False,
        storage_mode="memory",
        pgp_autogen=False,
        pem_autogen=False,
        async_mode=False,
        http_redirects=False,
        default_service_retry=0,
        service_timeout=seconds,
        language="en",
    )
