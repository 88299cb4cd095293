"""How the demo's hour is told: text that a person can follow, or JSON lines."""

from __future__ import annotations

from datetime import datetime

from rich.console import Console

from cli.output import console, print_json
from cli.text import folded
from crews.ask.answer import Answer
from demo.bitbucket.hour import REPOSITORIES, Event
from opscrew.actions.records import ActionRecord
from opscrew.actions.verification import AuditCheck
from opscrew.findings.records import LedgerEntry
from opscrew.model.action import ActionState

LINES_OF_AN_ANSWER = 4

COLOURS = {"info": "cyan", "warning": "yellow", "critical": "red"}

DEEDS = {
    "push": "{slug}: push to {branch}: {message}",
    "pull_request": "{slug}: pull request: {message}",
    "outage_ends": "the package server is back",
}

NEXT = """\
What to try next
  crew init                  write a commented crew.yaml for your own workspace
  crew doctor                try every connection that it names
  crew run ci_watch          one look at your pipelines; nothing is re-run
                             before your policy says so
  crew ask "what failed since yesterday?"
  crew ci classify FILE      judge a log of your own"""


class TextStory:
    """Readable at 80 columns, coloured on a terminal."""

    def __init__(self, out: Console | None = None) -> None:
        self._out = out or console()

    def begin(self) -> None:
        self._out.print(
            f"One hour of a workspace with {len(REPOSITORIES)} repositories, a minute per round.\n"
            "Left: the time in the sandbox. Lower case: what people and servers do.\n"
            "Capitals: what the crew finds; indented below it, why.\n"
        )

    def happened(self, at: datetime, event: Event) -> None:
        deed = DEEDS[event.kind].format(slug=event.slug, branch=event.branch, message=event.message)
        self._out.print(f"{at:%H:%M}  [dim]{_plain(deed)}[/dim]")

    def finding(self, at: datetime, entry: LedgerEntry) -> None:
        told, colour = entry.finding, COLOURS[entry.finding.severity.value]
        if entry.resolved_at is not None:
            self._out.print(f"{at:%H:%M}  [green]over[/green]      {told.code} on {_plain(str(told.subject))}")
            return
        self._out.print(f"{at:%H:%M}  [bold {colour}]{told.code}[/bold {colour}]")
        self._indented(f"{told.subject}: {told.cause}")
        for line in told.evidence[:2]:
            self._out.print(f"         [dim]| {_plain(line.text[:68])}[/dim]", no_wrap=True)

    def action(self, at: datetime, record: ActionRecord) -> None:
        what = f"{record.action.kind} {record.action.target.scope}{record.action.target.name}"
        self._out.print(f"{at:%H:%M}  [bold]{record.state.value:9}[/bold] {_plain(what)}")
        if record.note:
            self._indented(record.note)

    def end(self, entries: list[LedgerEntry], records: list[ActionRecord], audit: AuditCheck) -> None:
        still_open = [entry for entry in entries if entry.resolved_at is None]
        waiting = [record for record in records if record.state is ActionState.WAITING]
        passed = sum(record.state is ActionState.SUCCEEDED for record in records)
        self._out.print(f"\n[bold]After the hour[/bold]  {passed} re-runs passed, {len(still_open)} findings are open:")
        for entry in still_open:
            self._out.print(f"  {entry.finding.code:22} {_plain(str(entry.finding.subject))}")
        for record in waiting:
            self._out.print(f"  waits for approval: {record.action.kind} {record.action.target.scope} ({record.id})")
        word = "intact" if audit.intact else "BROKEN: " + audit.problems[0]
        self._out.print(f"  audit log: {audit.head.number} entries, {word}\n")

    def answer(self, question: str, answer: Answer) -> None:
        self._out.print(f'[bold]crew ask[/bold] "{_plain(question)}"')
        for line in answer.text.splitlines()[:LINES_OF_AN_ANSWER]:
            self._indented(line)

    def farewell(self) -> None:
        self._out.print(f"\n{NEXT}")

    def _indented(self, text: str) -> None:
        self._out.print(folded(text, indent=9), markup=False)


class JsonStory:
    """One object a line, for scripts and for tests."""

    def begin(self) -> None:
        pass

    def happened(self, at: datetime, event: Event) -> None:
        print_json({"at": at.isoformat(), "event": event.kind, "repository": event.slug, "message": event.message})

    def finding(self, at: datetime, entry: LedgerEntry) -> None:
        told = entry.finding
        print_json(
            {
                "at": at.isoformat(),
                "finding": told.code,
                "state": entry.state.value,
                "subject": str(told.subject),
                "cause": told.cause,
            }
        )

    def action(self, at: datetime, record: ActionRecord) -> None:
        print_json(
            {
                "at": at.isoformat(),
                "action": record.id,
                "kind": record.action.kind,
                "state": record.state.value,
                "target": str(record.action.target),
            }
        )

    def end(self, entries: list[LedgerEntry], records: list[ActionRecord], audit: AuditCheck) -> None:
        print_json(
            {
                "findings_open": sum(entry.resolved_at is None for entry in entries),
                "actions": len(records),
                "audit": {"entries": audit.head.number, "intact": audit.intact},
            }
        )

    def answer(self, question: str, answer: Answer) -> None:
        print_json({"question": question, "answer": answer.text, "facts": len(answer.facts)})

    def farewell(self) -> None:
        pass


def _plain(text: str) -> str:
    """Text from outside may hold square brackets, which Rich would take for colours."""
    from rich.markup import escape

    return escape(text)
