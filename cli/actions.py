"""`crew actions`: what the crew wants to do, did, and may do; decisions of people; and the proof of it all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from cli.context import app_of
from cli.help import example
from cli.output import json_option, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opscrew.actions.audit import Head
    from opscrew.actions.execution import Execution
    from opscrew.actions.records import ActionRecord
    from opscrew.actions.verification import AuditCheck
    from opscrew.model.action import ActionState

group = typer.Typer(epilog=example("crew actions --state waiting"), no_args_is_help=False, invoke_without_command=True)

STATE = typer.Option(
    [], "--state", metavar="STATE", help="waiting, approved, sent, failed, … or unfinished; repeatable."
)
LIMIT = typer.Option(50, "--limit", metavar="N", min=1, help="At most so many, the latest.")
ID = typer.Argument(..., metavar="ID", help="An action's id, or its first characters.")


def register(application: typer.Typer) -> None:
    application.add_typer(group, name="actions", help="List, approve and deny actions; verify the audit log.")


@group.callback()
def actions(
    context: typer.Context, state: list[str] = STATE, limit: int = LIMIT, as_json: bool = json_option()
) -> None:
    """List the latest actions (the same as `crew actions list`)."""
    if context.invoked_subcommand is None:
        list_actions(context, state, limit, as_json)
    elif state or as_json:
        from opscrew.errors import UsageError

        name = context.invoked_subcommand
        raise UsageError(f"options stand before {name}", f"Write `crew actions {name} …` with its options behind it.")


@group.command("list", epilog=example("crew actions list --state waiting"))
def list_actions(
    context: typer.Context, state: list[str] = STATE, limit: int = LIMIT, as_json: bool = json_option()
) -> None:
    """List actions, the latest last."""
    from opscrew.actions.counting import count_in_states

    chosen = _states(state)
    found = _execution(context).list(chosen, limit)
    for record in found:
        if as_json:
            print_json(_as_json(record))
        else:
            _print_short(record)
    if not found and not as_json:
        typer.echo("No action fits." if state else "Nothing was ever proposed.")
    if len(found) == limit and not as_json:
        total = count_in_states(app_of(context).database, chosen)
        if total > limit:
            typer.echo(f"The latest {limit} of {total}; --limit {total} shows all.")


@group.command("show", epilog=example("crew actions show 3f2a9c"))
def show(context: typer.Context, identity: str = ID, as_json: bool = json_option()) -> None:
    """Show one action with its evidence and every step it took."""
    from opscrew.actions.audit import entries_of
    from opscrew.store.database import reading

    app = app_of(context)
    record = _execution(context).get(identity)
    with reading(app.database).connect() as connection:
        steps = [
            {"number": row.number, "at": row.at, "event": row.event, "who": row.who, "note": _note(row.details)}
            for row in entries_of(connection, record.id)
        ]
    if as_json:
        print_json(_as_json(record) | {"steps": steps})
    else:
        _print_long(record, steps, app.settings.zone)


@group.command("approve", epilog=example("crew actions approve 3f2a9c"))
def approve(context: typer.Context, identity: str = ID, as_json: bool = json_option()) -> None:
    """Let a waiting action go ahead; the crew carries it out at its next look."""
    from cli.person import person

    _tell(_execution(context).approve(identity, person()), as_json)


@group.command("deny", epilog=example("crew actions deny 3f2a9c --reason 'the vendor is down'"))
def deny(
    context: typer.Context,
    identity: str = ID,
    reason: str = typer.Option("", "--reason", metavar="TEXT", help="Why, for the record."),
    as_json: bool = json_option(),
) -> None:
    """Close an action that was not sent yet."""
    from cli.person import person

    _tell(_execution(context).deny(identity, person(), reason), as_json)


@group.command("verify", epilog=example("crew actions verify"))
def verify(
    context: typer.Context,
    head: str = typer.Option(
        "", "--head", metavar="HEAD", help="A head noted earlier (number:hash) that must still be there."
    ),
    as_json: bool = json_option(),
) -> None:
    """Check that nobody changed the audit log. Exit code 1 when somebody did."""
    from opscrew.actions.anchor import FILE_NAME
    from opscrew.actions.verification import verify as verify_log

    app = app_of(context)
    check = verify_log(app.database, app.settings.data_dir / FILE_NAME, _head(head))
    if as_json:
        print_json(
            {
                "intact": check.intact,
                "entries": check.head.number,
                "head": str(check.head),
                "anchored": check.anchored,
                "problems": check.problems,
                "accepted": check.accepted,
            }
        )
    else:
        from cli.text import folded

        typer.echo(folded(_verdict(check.intact, check.head.number), indent=0))
        for problem in check.problems:
            typer.echo(folded(f"- {problem}"))
        if check.accepted:
            typer.echo(folded(f"{check.accepted}.", indent=0))
        typer.echo(folded(_unproven(check, noted=bool(head)), indent=0))
    if not check.intact:
        raise typer.Exit(1)


@group.command("accept-audit", epilog=example("crew actions accept-audit --reason 'restored the backup of Monday'"))
def accept_audit(
    context: typer.Context,
    reason: str = typer.Option(..., "--reason", metavar="TEXT", help="Why the log is broken, for the record."),
) -> None:
    """Accept a broken audit log as it is now, after a restored backup or a lost anchor. Says so in the log itself."""
    from cli.person import person
    from cli.text import folded
    from opscrew.actions.acceptance import accept
    from opscrew.actions.anchor import FILE_NAME
    from opscrew.actions.findings import observe_audit
    from opscrew.clock import utc_now
    from opscrew.findings.ledger import Ledger

    app = app_of(context)
    check = accept(app.database, app.settings.data_dir / FILE_NAME, person(), reason, utc_now())
    observe_audit(Ledger(app.database, utc_now), check)
    typer.echo(
        folded(f"{check.accepted}. Approved actions wait for approval again; altered ones are closed.", indent=0)
    )


def _verdict(intact: bool, entries: int) -> str:
    if not intact:
        return typer.style("The audit log was changed.", fg=typer.colors.RED, bold=True)
    return f"The audit log is intact: {entries} entr{'y' if entries == 1 else 'ies'}, every hash fits."


def _unproven(check: AuditCheck, *, noted: bool) -> str:
    """What this check cannot show, and what to do about it."""
    missing = check.head.number - check.anchored
    tail = (
        f"The newest {missing} of them {'is' if missing == 1 else 'are'} not anchored on this machine, so their loss "
        "would not be noticed. "
        if missing
        else ""
    )
    if not check.intact:
        return (
            "Find out who wrote to the database or the data folder besides crew. Nothing is done by itself until the "
            "log is right again or `crew actions accept-audit` accepts it as it is (docs/ACTIONS.md)."
        )
    if noted:
        return tail.strip() or "The head given with --head is still there."
    return (
        f"{tail}Not proven: that nobody with access to both the database and the data folder rewrote everything. For "
        f"that, keep this head elsewhere and give it to --head next time: {check.head}"
    )


def _head(text: str) -> Head | None:
    from opscrew.actions.audit import Head
    from opscrew.errors import UsageError

    if not text:
        return None
    number, _, digest = text.partition(":")
    if not number.isdecimal() or len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise UsageError("--head is not a head", "Write it as `crew actions verify` printed it: 12:ab34…")
    return Head(int(number), digest)


def _execution(context: typer.Context) -> Execution:
    from opscrew.actions.execution import Execution
    from opscrew.actions.uptime import machine_uptime
    from opscrew.clock import utc_now

    app = app_of(context)
    return Execution(app.database, app.settings, utc_now, machine_uptime)


def _states(names: Sequence[str]) -> tuple[ActionState, ...]:
    from opscrew.errors import UsageError
    from opscrew.model.action import ActionState

    chosen: set[ActionState] = set()
    for name in names:
        if name == "unfinished":
            chosen |= {state for state in ActionState if not state.final}
        elif name in tuple(ActionState):
            chosen.add(ActionState(name))
        else:
            raise UsageError(f"--state {name} is unknown", f"Choose from {', '.join(ActionState)}, unfinished.")
    return tuple(chosen)


def _as_json(record: ActionRecord) -> dict[str, Any]:
    action, receipt = record.action, record.receipt
    return {
        "id": record.id,
        "state": record.state,
        "kind": action.kind,
        "target": action.target.model_dump(),
        "parameters": action.parameters,
        "reason": action.reason,
        "note": record.note,
        "held_by": record.held_by,
        "approved_by": record.approved_by,
        "proposed_at": record.proposed_at,
        "expires_at": record.expires_at,
        "finished_at": record.finished_at,
        "attempts": record.attempts,
        "receipt": {"id": receipt.external_id, "url": receipt.url, "detail": receipt.detail} if receipt else None,
        "finding": action.finding,
        "evidence": [line.model_dump() for line in action.evidence],
    }


def _note(details: str) -> str:
    import json

    try:
        return str(json.loads(details).get("note", ""))
    except (ValueError, AttributeError):
        return "(this entry was changed)"


def _tell(record: ActionRecord, as_json: bool) -> None:
    if as_json:
        print_json(_as_json(record))
    else:
        typer.echo(f"{record.id} is {record.state.value}: {record.note}.")


def _print_short(record: ActionRecord) -> None:
    from cli.text import ago, folded, one_line
    from opscrew.clock import utc_now

    now = utc_now()
    state = typer.style(f"{record.state.value:<9}", bold=not record.state.final)
    typer.echo(f"{state}  {record.id}  {record.action.kind}  {one_line(str(record.action.target), 40)}")
    until = f", expires {ago(record.expires_at, now)}" if record.state == "waiting" else ""
    typer.echo(folded(f"proposed {ago(record.proposed_at, now)}{until}: {one_line(record.note, 120)}", indent=11))


def _print_long(record: ActionRecord, steps: Sequence[dict[str, Any]], zone: Any) -> None:
    from datetime import datetime

    from cli.text import folded, when
    from opscrew.actions.catalog import catalog

    action, kind = record.action, catalog().get(record.action.kind)
    facts = [
        ("Target", f"{action.target} in {action.target.system}"),
        ("Parameters", "\n".join(f"{name}: {value}" for name, value in action.parameters.items())),
        ("Why", action.reason),
        ("Danger", f"{kind.danger}; verified by {kind.verified_by}" if kind else ""),
        ("Note", record.note),
        ("Result", f"{record.receipt.detail} {record.receipt.url}".strip() if record.receipt else ""),
        ("Expires", when(record.expires_at, zone) if not record.state.final else ""),
    ]
    typer.echo(f"{record.id}  {kind.title if kind else action.kind} ({record.state.value})")
    for label, value in facts:
        if value:
            typer.echo(f"{label}\n{folded(value)}")
    if action.evidence:
        typer.echo("Evidence")
    for line in action.evidence:
        typer.echo(folded(f"{when(line.observed_at, zone)}  {line.source}\n  {line.text}"))
    typer.echo("Steps")
    for step in steps:
        at = when(datetime.fromisoformat(step["at"]), zone)
        typer.echo(folded(f"{at}  {step['event']} by {step['who']}  {step['note']}".rstrip()))
