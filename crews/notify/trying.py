"""Tries channels for a person: with a message that says it is a test, or without sending anything."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass

from sqlalchemy import Engine

from crews.notify.sending import message_of, open_target
from opscrew.clock import utc_now
from opscrew.notify import outbox
from opscrew.notify.channels import mark_recovered
from opscrew.notify.wording import trial_text
from opscrew.settings_notify import ChannelSettings, NotifySettings
from tools.errors import PermanentError, TemporaryError, UpstreamError


@dataclass(frozen=True)
class Outcome:
    """``state`` is ``sent``, ``failed`` or ``uncertain``."""

    service: str
    state: str
    problem: str = ""
    hint: str = ""


def try_channel(engine: Engine, settings: NotifySettings, channel: ChannelSettings) -> Outcome:
    """Sends a test now. One that is taken ends the pause after failures, so that what waits goes out at once."""
    service = ""
    try:
        target = open_target(settings, channel)
        service = target.service
        target.send(message_of(trial_text(channel.name)))
    except UpstreamError as problem:
        unclear = isinstance(problem, TemporaryError) and not problem.not_accepted
        return Outcome(service, "uncertain" if unclear else "failed", problem.message, problem.hint)
    with outbox.writing(engine) as connection:
        mark_recovered(connection, channel.name, utc_now())
    return Outcome(service, "sent")


def reach(settings: NotifySettings, channel: ChannelSettings, seconds: float) -> str:
    """Whether the channel's address can be read and its service be reached, in words; nothing is sent to anybody.
    Raises ``UpstreamError``."""
    target = open_target(settings, channel)
    door = target.door
    if door is None:
        return f"{target.service}; it can only be tried with `crew notify test {channel.name}`"
    host, port = door
    try:
        with socket.create_connection(door, timeout=seconds) as connection:
            if port == 443:
                with ssl.create_default_context().wrap_socket(connection, server_hostname=host):
                    pass
    except ssl.SSLError as problem:
        hint = "Its certificate is not trusted here; does a proxy stand in between?"
        raise PermanentError(f"{host} answers without a trusted certificate", system="notify", hint=hint) from problem
    except OSError as problem:
        hint = "Does this machine get out to it?"
        raise TemporaryError(f"{host} port {port} cannot be reached", system="notify", hint=hint) from problem
    return f"{target.service} at {host} answers; nothing was sent"
