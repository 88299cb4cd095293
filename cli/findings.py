"""`crew findings`: what is wrong, what was, and muting what people know about."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import typer

from cli.context import App, app_of
from cli.help import example
from cli.output import json_option, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opscrew.findings.ledger import Ledger
    from opscrew.findings.life import FindingState
    from opscrew.findings.records import LedgerEntry
    from opscrew.model.finding import Severity

group = typer.Typer(
    epilog=example("crew findings --severity critical"), no_args_is_help=False, invoke_without_command=True
)

OLD_LOOK = timedelta(hours=1)
"""Crews look every few minutes; what nobody has looked at for so long is not known to be well."""

STATE = typer.Option(
    [], "--state", metavar="STATE", help="new, ongoing, flapping, resolved, suppressed, open or all; repeatable."
)
SEVERITY = typer.Option([], "--severity", metavar="SEVERITY", help="info, warning or critical; repeatable.")
SYSTEM = typer.Option("", "--system", metavar="SYSTEM", help="Only this system, such as bitbucket or kubernetes.")
CODE = typer.Option("", "--code", metavar="CODE", help="Only this code, such as CI_OUTAGE.")
LIMIT = typer.Option(100, "--limit", metavar="N", min=1, help="At most so many.")

COLOURS = {"critical": typer.colors.RED, "warning": typer.colors.YELLOW, "info": typer.colors.BLUE}


def register(application: typer.Typer) -> None:
    application.add_typer(group, name="findings", help="List, show and mute what is wrong.")


@group.callback()
def findings(
    context: typer.Context,
    state: list[str] = STATE,
    severity: list[str] = SEVERITY,
    system: str = SYSTEM,
    code: str = CODE,
    limit: int = LIMIT,
    as_json: bool = json_option(),
) -> None:
    """List what is wrong now, the most severe first (the same as `crew findings list`)."""
    if context.invoked_subcommand is None:
        list_findings(context, state, severity, system, code, limit, as_json)
    elif state or severity or system or code or as_json:
        from opscrew.errors import UsageError

        name = context.invoked_subcommand
        raise UsageError(f"options stand before {name}", f"Write `crew findings {name} …` with its options behind it.")


@group.command("list", epilog=example("crew findings list --severity critical"))
def list_findings(
    context: typer.Context,
    state: list[str] = STATE,
    severity: list[str] = SEVERITY,
    system: str = SYSTEM,
    code: str = CODE,
    limit: int = LIMIT,
    as_json: bool = json_option(),
) -> None:
    """List findings; without --state those that are open."""
    ledger, states = _ledger(context), _states(state)
    wanted: dict[str, Any] = {"severities": _severities(severity), "system": system, "code": code.upper()}
    found = ledger.list(states, **wanted, limit=limit)
    for entry in found:
        if as_json:
            print_json(_as_json(entry))
        else:
            _print_short(entry)
    if not as_json:
        total = sum(ledger.count(states, **wanted).values())
        _print_count(len(found), total, filtered=bool(state or severity or system or code))
        if not found:
            _print_looks(app_of(context))


@group.command("show", epilog=example("crew findings show 3f2a9c"))
def show(
    context: typer.Context,
    identity: str = typer.Argument(..., metavar="ID", help="A finding's id, or its first characters."),
    as_json: bool = json_option(),
) -> None:
    """Show one finding with its evidence and history."""
    from dataclasses import asdict

    ledger = _ledger(context)
    entry = ledger.get(identity)
    history = ledger.history(entry.fingerprint)
    if as_json:
        print_json(_as_json(entry) | {"history": [asdict(change) for change in history]})
        return
    _print_long(entry, app_of(context).quiet_settings.zone)
    if history:
        typer.echo("History")
    from cli.text import folded, when

    for change in history:
        line = f"{when(change.at, app_of(context).quiet_settings.zone)}  {change.change}  {change.detail}"
        typer.echo(folded(line.rstrip()))


@group.command("suppress", epilog=example("crew findings suppress 3f2a9c --for 12h --reason 'known, ticket 17'"))
def suppress(
    context: typer.Context,
    identity: str = typer.Argument(..., metavar="ID", help="A finding's id, or its first characters."),
    length: str = typer.Option(..., "--for", metavar="LENGTH", help="How long: 30m, 12h, 7d, 2w."),
    reason: str = typer.Option(..., "--reason", metavar="TEXT", help="Why, for others."),
    as_json: bool = json_option(),
) -> None:
    """Mute one finding for a time. It is still observed, and speaks again afterwards."""
    from cli.durations import parse_duration
    from cli.person import person
    from cli.text import when
    from opscrew.clock import utc_now

    until = utc_now() + parse_duration(length)
    ledger = _ledger(context)
    entry = ledger.get(identity)
    ledger.suppress(entry.fingerprint, until, reason, person())
    if as_json:
        print_json(_as_json(ledger.get(entry.fingerprint)))
    else:
        typer.echo(f"{entry.fingerprint} is muted until {when(until, app_of(context).quiet_settings.zone)}.")


@group.command("unsuppress", epilog=example("crew findings unsuppress 3f2a9c"))
def unsuppress(
    context: typer.Context,
    identity: str = typer.Argument(..., metavar="ID", help="A finding's id, or its first characters."),
    as_json: bool = json_option(),
) -> None:
    """End a suppression early."""
    from cli.person import person

    ledger = _ledger(context)
    entry = ledger.get(identity)
    ledger.unsuppress(entry.fingerprint, person())
    if as_json:
        print_json(_as_json(ledger.get(entry.fingerprint)))
    else:
        typer.echo(f"{entry.fingerprint} speaks again.")


def _ledger(context: typer.Context) -> Ledger:
    from opscrew.clock import utc_now
    from opscrew.findings.ledger import Ledger

    return Ledger(app_of(context).database, utc_now)


def _states(names: Sequence[str]) -> tuple[FindingState, ...]:
    from opscrew.findings.life import OPEN, FindingState

    chosen: set[FindingState] = set()
    for name in names or ["open"]:
        if name == "all":
            return tuple(FindingState)
        chosen |= (
            set(OPEN) if name == "open" else {FindingState(_known(name, "--state", (*FindingState, "open", "all")))}
        )
    return tuple(chosen)


def _severities(names: Sequence[str]) -> tuple[Severity, ...]:
    from opscrew.model.finding import Severity

    return tuple(Severity(_known(name, "--severity", tuple(Severity))) for name in names)


def _known(name: str, option: str, choices: tuple[str, ...]) -> str:
    if name in choices:
        return name
    import difflib

    from opscrew.errors import UsageError

    near = difflib.get_close_matches(name, [str(one) for one in choices], n=1)
    suggestion = f" (did you mean {near[0]}?)" if near else ""
    raise UsageError(f"{option} {name} is unknown{suggestion}", f"Choose from {', '.join(choices)}.")


def _as_json(entry: LedgerEntry) -> dict[str, Any]:
    finding, muted = entry.finding, entry.suppression
    return {
        "id": entry.fingerprint,
        "state": entry.state,
        "severity": finding.severity,
        "code": finding.code,
        "subject": finding.subject.model_dump(),
        "cause": finding.cause,
        "next_step": finding.next_step,
        "reason": finding.reason,
        "aspect": finding.aspect,
        "evidence": [line.model_dump() for line in finding.evidence],
        "details": finding.details,
        "occurrences": entry.occurrences,
        "first_seen_at": entry.first_seen,
        "last_seen_at": entry.last_seen,
        "resolved_at": entry.resolved_at,
        "sources": entry.sources,
        "suppressed": {"ends_at": muted.until, "reason": muted.reason, "by": muted.who} if muted else None,
    }


def _heading(entry: LedgerEntry) -> str:
    from opscrew.findings.codes import title_of

    severity = entry.finding.severity.value
    mark = typer.style(f"{severity:<8}", fg=COLOURS[severity], bold=True)
    return f"{mark}  {entry.fingerprint[:8]}  {title_of(entry.finding.code)} ({entry.state})"


def _times(entry: LedgerEntry) -> str:
    """How often it appeared, not how often somebody looked."""
    return f"{entry.occurrences} time{'s' if entry.occurrences != 1 else ''}"


def _print_short(entry: LedgerEntry) -> None:
    from cli.text import ago, folded, one_line
    from opscrew.clock import utc_now

    typer.echo(_heading(entry))
    seen = f"{_times(entry)}, last {ago(entry.last_seen, utc_now())}"
    typer.echo(folded(f"{entry.finding.subject}; seen {seen}", indent=10))
    typer.echo(folded(one_line(entry.finding.cause, 140), indent=10))


def _print_long(entry: LedgerEntry, zone: Any) -> None:
    from cli.text import folded, when

    finding = entry.finding
    typer.echo(_heading(entry))
    facts = [
        ("Subject", f"{finding.subject} in {finding.subject.system}"),
        ("Address", finding.subject.url),
        ("Cause", finding.cause),
        ("Reason", finding.reason),
        ("Next step", finding.next_step),
        ("Runbook", f"knowledge/runbooks/{finding.code}.md"),
        ("Seen", f"{_times(entry)}, {when(entry.first_seen, zone)} to {when(entry.last_seen, zone)}"),
        ("Resolved", when(entry.resolved_at, zone) if entry.resolved_at else ""),
        ("Seen by", ", ".join(entry.sources)),
    ]
    if entry.suppression:
        muted = entry.suppression
        facts.append(("Muted", f"until {when(muted.until, zone)} by {muted.who}: {muted.reason}"))
    for label, value in facts:
        if value:
            typer.echo(f"{label}\n{folded(value)}")
    if finding.evidence:
        typer.echo("Evidence")
    for line in finding.evidence:
        typer.echo(folded(f"{when(line.observed_at, zone)}  {line.source}"))
        typer.echo(folded(line.text, indent=4))


def _print_looks(app: App) -> None:
    """An empty list says something only where the crews have looked, and everything answered."""
    from cli.text import folded, when
    from opscrew.clock import utc_now
    from opscrew.store.runs import latest_runs

    latest = {run.crew: run for run in reversed(latest_runs(app.database, limit=200))}
    if not latest:
        typer.echo("No crew has looked yet; `crew run` or `crew serve` makes them look.")
    elif (last := max(run.ended_at for run in latest.values())) < utc_now() - OLD_LOOK:
        typer.echo(f"No crew has looked since {when(last, app.quiet_settings.zone)}.")
    for run in latest.values():
        if run.outcome != "ok":
            ended = when(run.ended_at, app.quiet_settings.zone)
            typer.echo(
                folded(f"{run.crew} did not see everything at {ended} ({run.outcome.value}): {run.summary}", indent=0)
            )


def _print_count(shown: int, total: int, *, filtered: bool) -> None:
    if not total:
        typer.echo(
            "No finding fits." if filtered else "No open findings. `crew findings --state all` shows older ones."
        )
    elif total > shown:
        typer.echo(f"The gravest {shown} of {total}; --limit {total} shows all.")
    else:
        typer.echo(f"{total} finding{'s' if total != 1 else ''}.")
