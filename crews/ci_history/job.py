"""Every five minutes: read what the history of CI still lacks, as far as the request budget leaves room.

newest (repositories that nobody has looked at lately) → unfinished (pipelines that the newest no longer show) →
older (one page of a hundred at a time, newest first) → steps (a request for each pipeline, newest first). The watch
keeps what it sees by itself (``seen.py``); all of this is about the rest.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from math import ceil

from crews.ci_history.older import Older
from crews.ci_history.requests import Asking
from crews.ci_history.seen import keep_newest
from crews.ci_history.steps import read_steps
from crews.runtime.context import CrewContext
from opscrew.ci.watch.poll_states import load_states
from opscrew.ci_history.coverage import Coverage, load_coverage
from opscrew.ci_history.keeping import keep_pipelines
from opscrew.ci_history.spending import allowance, spending_rules
from opscrew.ci_history.wanted import not_over, touch, without_steps
from opscrew.errors import CrewError
from opscrew.model.run import Run, RunOutcome

MOST_UNFINISHED = 10
"""Unfinished pipelines asked for in one run: one that waits for a person may wait for weeks."""


def run(context: CrewContext) -> Run:
    """One round. Never raises for what Bitbucket does; says in the run what did not answer."""
    client = context.systems.bitbucket
    if client is None:
        raise CrewError("bitbucket is not configured", "Add a bitbucket section to crew.yaml.")
    started = context.clock()
    budget = client.budget
    asking = Asking(client, allowance(budget.remaining, budget.limit, spending_rules()))
    known = _coverage(context, asking)
    _read_newest(context, asking, known)
    _read_unfinished(context, asking, known)
    _read_older_and_steps(context, asking, known)
    return _summary(context, asking, started)


def _coverage(context: CrewContext, asking: Asking) -> dict[str, Coverage]:
    """What is known of each watched repository. The watch has listed them; where it never ran, they are listed here."""
    part, client = context.settings.bitbucket, asking.client
    assert part is not None
    slugs = set(load_states(context.engine, client.workspace))
    if not slugs:
        slugs = {one.slug for one in asking.ask("(list of repositories)", client.repositories) or ()}
    watched = [slug for slug in sorted(slugs) if any(fnmatchcase(slug, pattern) for pattern in part.repositories)]
    stored = load_coverage(context.engine)
    names = [f"{client.workspace}/{slug}" for slug in watched]
    return {name: stored.get(name) or Coverage(name) for name in names}


def _read_newest(context: CrewContext, asking: Asking, known: dict[str, Coverage]) -> None:
    """Those first that were left for longest."""
    rules, now = spending_rules(), context.clock()
    stale = [one for one in known.values() if _is_due(one.seen_until, now, rules.newest_minutes)]
    stale = [one for one in stale if not one.refused or _is_due(one.tried_at, now, rules.again_minutes)]
    for one in sorted(stale, key=lambda one: (one.seen_until is not None, one.seen_until, one.repository)):
        page = asking.page(context, one, 1)
        if page is not None:
            known[one.repository] = keep_newest(context, one, page.pipelines, is_all=page.is_last)


def _read_unfinished(context: CrewContext, asking: Asking, known: dict[str, Coverage]) -> None:
    now = context.clock()
    before = now - timedelta(minutes=spending_rules().again_minutes)
    for one in not_over(context.engine, known, before, min(MOST_UNFINISHED, asking.left)):
        found = asking.ask(one.repository, asking.client.pipeline, _slug(one.repository), one.uuid)
        if found is None or not keep_pipelines(context.engine, one.repository, [found], now):
            touch(context.engine, one.repository, one.uuid, now)


def _read_older_and_steps(context: CrewContext, asking: Asking, known: dict[str, Coverage]) -> None:
    """Back in time and into depth by turns, so that neither keeps the other from getting on."""
    older = Older(context, asking, known)
    wanting = without_steps(context.engine, known, asking.left)
    for_steps = min(len(wanting), asking.left - ceil(asking.left * spending_rules().older_share))
    older.read(most=asking.left - for_steps)
    read_steps(context, asking, wanting)
    older.read(most=asking.left)


def _summary(context: CrewContext, asking: Asking, started: datetime) -> Run:
    coverage = load_coverage(context.engine).values()
    whole = sum(1 for one in coverage if one.is_whole)
    parts = [
        f"{asking.sent} requests",
        f"{asking.steps} pipelines' steps read",
        f"{asking.pages} pages of pipelines read",
    ]
    parts += [f"{whole} of {len(coverage)} repositories known as far back as wanted"]
    parts += [f"{len(asking.problems)} problems: {asking.problems[0]}"] if asking.problems else []
    return Run(
        crew="ci_history",
        started_at=started,
        ended_at=max(started, context.clock()),
        outcome=RunOutcome.PARTIAL if asking.problems else RunOutcome.OK,
        summary=", ".join(parts),
        read_nothing=bool(asking.problems) and not asking.answers,
        unavailable=("bitbucket",) if asking.is_down else (),
    )


def _is_due(last: datetime | None, now: datetime, minutes: float) -> bool:
    """Also when it never was, or when the clock went back behind it."""
    return last is None or last > now or now - last >= timedelta(minutes=minutes)


def _slug(repository: str) -> str:
    return repository.split("/", 1)[1]
