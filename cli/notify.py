"""`crew notify`: try the channels in which people are told, and see what went out, waits or failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cli.context import app_of
from cli.help import example
from cli.output import console, json_option, print_json

if TYPE_CHECKING:
    from opscrew.settings import Settings
    from opscrew.settings_notify import ChannelSettings

group = typer.Typer(epilog=example("crew notify test"), no_args_is_help=True)

CHANNEL = typer.Argument("", metavar="CHANNEL", help="Which channel; all when left out.")


def register(application: typer.Typer) -> None:
    application.add_typer(group, name="notify", help="Try channels; list what people were told.")


@group.command("test", epilog=example("crew notify test team"))
def try_channels(context: typer.Context, channel: str = CHANNEL, as_json: bool = json_option()) -> None:
    """Send a message to one channel, or to each, now. Exit code 1 when one of them did not take it."""
    from crews.notify.trying import try_channel

    settings = app_of(context).settings
    chosen = _chosen(settings, channel)
    if not chosen:
        _refuse_nothing()
    failed = 0
    for part in chosen:
        outcome = try_channel(app_of(context).database, settings.notify, part)
        failed += outcome.state != "sent"
        if as_json:
            print_json(
                {
                    "channel": part.name,
                    "service": outcome.service,
                    "state": outcome.state,
                    "problem": outcome.problem,
                    "hint": outcome.hint,
                }
            )
        else:
            said = f"{part.name}: {outcome.service or 'no service'}: {outcome.state}"
            console().print(f"{said}: {outcome.problem}" if outcome.problem else said, markup=False)
            if outcome.hint:
                console().print(f"  {outcome.hint}", markup=False)
    raise typer.Exit(1 if failed else 0)


@group.command("list", epilog=example("crew notify list --json"))
def list_rows(
    context: typer.Context,
    channel: str = CHANNEL,
    limit: int = typer.Option(50, "--limit", metavar="N", min=1, help="At most so many."),
    as_json: bool = json_option(),
) -> None:
    """List what waits, failed or may not have arrived, then what was sent last."""
    from opscrew.clock import utc_now
    from opscrew.notify.outbox import Outbox
    from opscrew.notify.wording import compose
    from opscrew.reading_time import minute

    _chosen(app_of(context).settings, channel)
    rows = Outbox(app_of(context).database, utc_now).latest(channel, limit)
    for row in rows:
        title = compose([row.told]).title
        if as_json:
            print_json(
                {
                    "id": row.id,
                    "channel": row.channel,
                    "state": row.state,
                    "kind": row.kind,
                    "event": row.what.value,
                    "severity": row.severity.value,
                    "title": title,
                    "about": row.about,
                    "attempts": row.attempts,
                    "problem": row.problem,
                    "happened_at": row.happened_at,
                    "changed_at": row.changed_at,
                }
            )
        else:
            why = f" ({row.problem})" if row.problem and row.state != "sent" else ""
            console().print(f"{minute(row.changed_at)}  {row.state:9} {row.channel}: {title}{why}", markup=False)
    if not rows and not as_json:
        console().print("Nothing was told yet, and nothing waits.")


def _chosen(settings: Settings, name: str) -> list[ChannelSettings]:
    """The channel of that name, or all. Raises ``NotFoundError``."""
    from opscrew.errors import NotFoundError

    channels = settings.notify.channels
    found = [channel for channel in channels if name in ("", channel.name)]
    if name and not found:
        names = ", ".join(channel.name for channel in channels) or "none"
        raise NotFoundError(f"there is no channel {name}", f"Configured under notify in crew.yaml: {names}.")
    return found


def _refuse_nothing() -> None:
    from opscrew.errors import UsageError

    hint = "Add one under notify in crew.yaml; `crew init --print` shows how."
    raise UsageError("no channel is configured, so nobody is told anything", hint)
