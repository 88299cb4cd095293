"""Turns findings that are over into episodes that recall finds, and forgets conversations that are too old.

"Have we seen this before?" is answered from these: what it was, what was done, and whether that helped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

import structlog

from crews.runtime.context import CrewContext
from opscrew.actions import journal, queries
from opscrew.actions.anchor import FILE_NAME
from opscrew.actions.records import ActionRecord
from opscrew.alerts.incident_store import IncidentStore
from opscrew.findings.codes import title_of
from opscrew.findings.ledger import Ledger
from opscrew.findings.life import FindingState
from opscrew.findings.records import LedgerEntry
from opscrew.findings.rows import resolved_since
from opscrew.memory.conversations import Conversations
from opscrew.memory.episodes import Remedy, episode
from opscrew.memory.library import Library
from opscrew.memory.recall import Recall
from opscrew.model.finding import Severity
from opscrew.model.run import Run, RunOutcome

log = structlog.get_logger(__name__)

LOOK_BACK = timedelta(days=2)
"""How far back a run looks, so that a daemon that was off for a day misses nothing. Known episodes are left alone."""


def run(context: CrewContext) -> Run:
    """Writes one episode for each resolved finding that mattered: a warning or worse, or one that was acted on."""
    started = context.clock()
    library = Library(context.engine, context.clock)
    known = {document.id for document in library.documents()}
    ended = Ledger(context.engine, context.clock).list(
        [FindingState.RESOLVED], also=[resolved_since(started - LOOK_BACK)], limit=None
    )
    remedies = _remedies(context, [entry.fingerprint for entry in ended])
    written = 0
    for entry in ended:
        if entry.resolved_at is None:
            continue
        done = remedies[entry.fingerprint]
        if not done and entry.finding.severity is Severity.INFO:
            continue
        made = episode(entry.finding, entry.first_seen, entry.resolved_at, _during(entry, done), _title(entry))
        if made.id not in known:
            library.put(made)
            written += 1
    keep = context.settings.memory
    episodes = library.forget_episodes(keep.keep_episodes_days)
    drafts = IncidentStore(context.engine, context.clock).forget_drafts(keep.keep_drafts_days)
    _bring_index_up_to_date(context, library)
    forgotten = Conversations(context.engine, context.clock).forget_old(keep.keep_conversations_days)
    old = f" {episodes} old episodes and {drafts} old incident drafts went." if episodes or drafts else ""
    return Run(
        crew="remembering",
        started_at=started,
        ended_at=max(started, context.clock()),
        outcome=RunOutcome.OK,
        summary=f"Wrote {written} episodes and forgot {forgotten} old conversations." + old,
    )


def _bring_index_up_to_date(context: CrewContext, library: Library) -> None:
    """Questions are answered from the index as it stands; here it learns new episodes, notes and edited runbooks.
    Another process that owns the index does the same."""
    settings = context.settings
    with Recall(library, context.clock, settings.data_dir, settings.memory.embedding) as recall:
        recall.refresh()
    if recall.note:
        log.info("index_not_refreshed", reason=recall.note)


def _remedies(context: CrewContext, fingerprints: Sequence[str]) -> dict[str, list[tuple[Remedy, ActionRecord]]]:
    """Finished actions that answered one of these findings, by its fingerprint."""
    found: dict[str, list[tuple[Remedy, ActionRecord]]] = defaultdict(list)
    actions = journal.Journal(context.engine, context.settings.data_dir / FILE_NAME)
    with actions.looking() as connection:
        for record in queries.for_findings(connection, fingerprints):
            if record.state.final:
                found[record.action.finding].append((Remedy(record.action, record.state, record.note), record))
    return found


def _during(entry: LedgerEntry, done: list[tuple[Remedy, ActionRecord]]) -> list[Remedy]:
    """Those proposed in this life of the finding, not in an earlier one."""
    return [remedy for remedy, record in done if record.proposed_at >= entry.first_seen]


def _title(entry: LedgerEntry) -> str:
    return title_of(entry.finding.code)
