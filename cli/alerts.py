"""`crew alerts`: what fires, and what triage found out about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from cli.context import App, app_of
from cli.help import example
from cli.output import json_option, print_json

if TYPE_CHECKING:
    from opscrew.alerts.groups import Group
    from opscrew.alerts.life import KnownAlert
    from opscrew.alerts.store import AlertStore

group = typer.Typer(epilog=example("crew alerts --all"), no_args_is_help=False, invoke_without_command=True)

ALL = typer.Option(False, "--all", help="Also those that are over.")
LIMIT = typer.Option(100, "--limit", metavar="N", min=1, max=10_000, help="At most so many.")


def register(application: typer.Typer) -> None:
    application.add_typer(group, name="alerts", help="List alerts; show causes and repairs of one.")


@group.callback()
def alerts(
    context: typer.Context,
    everything: bool = ALL,
    limit: int = LIMIT,
    as_json: bool = json_option(),
) -> None:
    """List what fires now (the same as `crew alerts list`)."""
    if context.invoked_subcommand is None:
        show_list(context, everything, limit, as_json)


@group.command("list", epilog=example("crew alerts list --all"))
def show_list(
    context: typer.Context,
    everything: bool = ALL,
    limit: int = LIMIT,
    as_json: bool = json_option(),
) -> None:
    """List alerts, the latest first."""
    from cli.text import ago, folded
    from opscrew.alerts.alert import AlertState
    from opscrew.alerts.kinds import AlertKind
    from opscrew.alerts.objects import object_words
    from opscrew.alerts.telling import said_of
    from opscrew.clock import utc_now

    store = _store(app_of(context))
    found = store.list(() if everything else (AlertState.FIRING,), limit + 1)
    for alert in found[:limit]:
        if as_json:
            print_json(_as_json(alert, store))
            continue
        marks = [name for name, is_so in (("silenced", alert.silenced), ("flapping", _flaps(alert, store))) if is_so]
        marks += [alert.kind.value] if alert.kind is not AlertKind.USUAL else []
        state = ", ".join([alert.state.value, *marks])
        typer.echo(f"{alert.severity.value:<8}  {alert.fingerprint[:8]}  {alert.name} ({state})")
        since = ago(alert.starts_at, utc_now())
        told = "; ".join(filter(None, (f"began {since}", object_words(alert), said_of(alert))))
        typer.echo(folded(told, indent=10))
    if as_json:
        return
    if not found:
        typer.echo("No alert fires." if not everything else "No alert is known.")
    elif len(found) > limit:
        typer.echo(f"… and more; --limit {limit * 2} shows them.")
    else:
        typer.echo(f"{len(found)} alert{'s' if len(found) != 1 else ''}.")


@group.command("show", epilog=example("crew alerts show 3f2a9c"))
def show(
    context: typer.Context,
    identity: str = typer.Argument(..., metavar="ID", help="An alert's id, or its first characters."),
    as_json: bool = json_option(),
) -> None:
    """Show one alert with its group: likely causes, evidence, proposed repair."""
    app = app_of(context)
    store = _store(app)
    alert = store.get(identity)
    told = store.group(alert.group_id) if alert.group_id else None
    members = store.members(alert.group_id) if alert.group_id else (alert,)
    if as_json:
        print_json(_as_json(alert, store) | {"group": _group_as_json(told, len(members)) if told else None})
        return
    _print_alert(alert, app.quiet_settings.zone)
    if told is not None:
        _print_group(told, len(members), app.quiet_settings.zone)


def _store(app: App) -> AlertStore:
    from opscrew.alerts.store import AlertStore
    from opscrew.clock import utc_now

    return AlertStore(app.database, utc_now)


def _flaps(alert: KnownAlert, store: AlertStore) -> bool:
    from opscrew.clock import utc_now

    return alert.is_flapping(utc_now(), store.rules)


def _labels(alert: KnownAlert) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(alert.labels.items()) if name != "alertname")


def _as_json(alert: KnownAlert, store: AlertStore) -> dict[str, Any]:
    from opscrew.alerts.alert import is_private
    from opscrew.alerts.asides import LINK, VALUES
    from opscrew.alerts.objects import object_words

    said = {name: value for name, value in alert.annotations.items() if not is_private(name)}
    return {
        "id": alert.fingerprint,
        "name": alert.name,
        "state": alert.state,
        "severity": alert.severity,
        "silenced": alert.silenced,
        "flapping": _flaps(alert, store),
        "labels": alert.labels,
        "object": object_words(alert),
        "annotations": said,
        "values": alert.annotations.get(VALUES, ""),
        "panel_url": alert.annotations.get(LINK, ""),
        "sources": sorted(alert.sources),
        "url": alert.url,
        "starts_at": alert.starts_at,
        "resolved_at": alert.resolved_at,
        "last_seen_at": alert.last_seen,
        "group_id": alert.group_id,
    }


def _group_as_json(told: Group, count: int) -> dict[str, Any]:
    return {
        "id": told.id,
        "title": told.title,
        "alerts": count,
        "opened_at": told.opened_at,
        "closed_at": told.closed_at,
        "triaged_at": told.triaged_at,
        **told.triage,
    }


def _print_alert(alert: KnownAlert, zone: Any) -> None:
    from cli.text import folded, when
    from opscrew.alerts.alert import is_private
    from opscrew.alerts.asides import LINK, VALUES
    from opscrew.alerts.objects import object_words
    from opscrew.alerts.telling import said_of

    typer.echo(f"{alert.severity.value:<8}  {alert.fingerprint}  {alert.name} ({alert.state.value})")
    others = (value for name, value in alert.annotations.items() if not is_private(name))
    facts = [
        ("About", object_words(alert)),
        ("Says", said_of(alert)),
        ("Values", alert.annotations.get(VALUES, "")),
        ("Panel", alert.annotations.get(LINK, "")),
        ("Labels", _labels(alert)),
        ("Annotations", "\n".join(others)),
        ("Began", when(alert.starts_at, zone)),
        ("Ended", when(alert.resolved_at, zone) if alert.resolved_at else ""),
        ("Told by", ", ".join(sorted(alert.sources))),
        ("Address", alert.url),
    ]
    for label, value in facts:
        if value:
            typer.echo(f"{label}\n{folded(value)}")


def _print_group(told: Group, count: int, zone: Any) -> None:
    from cli.text import folded, when

    fired = "1 alert" if count == 1 else f"{count} alerts"
    typer.echo(f"Group\n{folded(f'{told.title}, {fired} since {when(told.opened_at, zone)}')}")
    triage = told.triage
    if told.triaged_at is None:
        typer.echo(folded("Not looked into yet."))
        return
    if triage.get("explanation"):
        typer.echo(f"In the model's words\n{folded(triage['explanation'])}")
    if triage.get("explanation_note"):
        typer.echo(folded(triage["explanation_note"]))
    typer.echo("Likely causes")
    causes = triage.get("causes", [])
    for number, cause in enumerate(causes, 1):
        typer.echo(folded(f"E{number}  {cause['score']:.2f}  {cause['text']} ({cause['why']})"))
    if not causes:
        typer.echo(folded("None stands out."))
    if triage.get("evidence"):
        typer.echo("Evidence")
    for number, line in enumerate(triage.get("evidence", []), len(causes) + 1):
        typer.echo(folded(f"E{number}  {line['source']}"))
        typer.echo(folded(line["text"], indent=4))
    for name, problem in triage.get("not_looked_at", {}).items():
        typer.echo(folded(f"Not looked at: {name} ({problem})"))
    for action in triage.get("actions", []):
        typer.echo(f"Proposed repair\n{folded(f'crew actions show {action}')}")
