"""Turns findings that are over into episodes that recall finds, and forgets conversations that are too old.

"Have we seen this before?" is answered from these: what it was, what was done, and whether that helped.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

import structlog

from crews.context import CrewContext
from opscrew.actions import journal
from opscrew.actions.anchor import FILE_NAME
from opscrew.actions.records import ActionRecord
from opscrew.findings.codes import title_of
from opscrew.findings.ledger import Ledger
from opscrew.findings.life import FindingState
from opscrew.findings.records import LedgerEntry
from opscrew.memory.conversations import Conversations
from opscrew.memory.episodes import Remedy, episode
from opscrew.memory.library import Library
from opscrew.memory.recall import Recall
from opscrew.model.action import ActionState
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
    remedies = _remedies(context)
    ended = Ledger(context.engine, context.clock).list([FindingState.RESOLVED])
    written = 0
    for entry in ended:
        if entry.resolved_at is None or entry.resolved_at < started - LOOK_BACK:
            continue
        done = remedies[entry.fingerprint]
        if not done and entry.finding.severity is Severity.INFO:
            continue
        made = episode(entry.finding, entry.first_seen, entry.resolved_at, _during(entry, done), _title(entry))
        if made.id not in known:
            library.put(made)
            written += 1
    keep_days = context.settings.memory.keep_conversations_days
    _bring_index_up_to_date(context, library)
    forgotten = Conversations(context.engine, context.clock).forget_old(keep_days)
    return Run(
        crew="remembering",
        started_at=started,
        ended_at=max(started, context.clock()),
        outcome=RunOutcome.OK,
        summary=f"Wrote {written} episodes and forgot {forgotten} old conversations.",
    )


def _bring_index_up_to_date(context: CrewContext, library: Library) -> None:
    """Questions are answered from the index as it stands; here it learns new episodes, notes and edited runbooks.
    Another process that owns the index does the same."""
    settings = context.settings
    with Recall(library, context.clock, settings.data_dir, settings.memory.embedding) as recall:
        recall.refresh()
    if recall.note:
        log.info("index_not_refreshed", reason=recall.note)


def _remedies(context: CrewContext) -> dict[str, list[tuple[Remedy, ActionRecord]]]:
    """Finished actions by the fingerprint of the finding that they answered."""
    found: dict[str, list[tuple[Remedy, ActionRecord]]] = defaultdict(list)
    actions = journal.Journal(context.engine, context.settings.data_dir / FILE_NAME)
    with actions.looking() as connection:
        for record in journal.in_states(connection, [state for state in ActionState if state.final]):
            if record.action.finding:
                found[record.action.finding].append((Remedy(record.action, record.state, record.note), record))
    return found


def _during(entry: LedgerEntry, done: list[tuple[Remedy, ActionRecord]]) -> list[Remedy]:
    """Those proposed in this life of the finding, not in an earlier one."""
    return [remedy for remedy, record in done if record.proposed_at >= entry.first_seen]


def _title(entry: LedgerEntry) -> str:
    return title_of(entry.finding.code)
