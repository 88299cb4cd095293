"""Asks Bitbucket which pipelines there are, in as many repositories as the request budget allows right now."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from queue import Empty, SimpleQueue

import structlog

from crews.runtime.context import CrewContext
from opscrew.ci.watch import poll_states
from opscrew.ci.watch.poll_bucket import Poller, allowance, catch_up, poll_rules, refilled, spent
from opscrew.ci.watch.polling import (
    Plan,
    PollState,
    after_failed_look,
    after_hint,
    after_listing,
    after_look,
    listed,
    plan,
)
from tools.bitbucket.client import BitbucketClient
from tools.bitbucket.failures import Refused
from tools.bitbucket.records import Pipeline
from tools.errors import TemporaryError, UpstreamError

log = structlog.get_logger(__name__)

PIPELINES_PER_LOOK = 50
"""The newest pipelines of a repository; half a page of the API, a day of a busy repository."""

ONE_PAGE = 100
"""Repositories that one request lists."""

FULL_LISTING = 1000
"""Repositories that a full listing may bring. Of larger workspaces, those that changed last are found."""

MOST_ASKED_AFTER = 20
"""Repositories missing in a full listing that are asked for one by one; the next full listing asks for the rest."""
LOOKS_AT_ONCE = 4
"""After a start there may be hundreds of looks to make; one after the other they would take minutes."""

GIVE_UP_AFTER = 3
"""Failed looks in a row after which Bitbucket, not the repository, is the trouble: the rest of the round is left."""


@dataclass
class Round:
    """What one round saw. ``pipelines`` by repository slug; ``problems`` says what did not answer, by slug, and
    ``refused`` what was refused: an answer about that repository, which says nothing against Bitbucket.

    ``left_out`` are repositories that were due and for which the budget had no room. ``gone`` are those known before
    that are deleted, out of this account's sight, or no longer to be watched.
    """

    pipelines: dict[str, tuple[Pipeline, ...]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    is_down: bool = False
    has_listed: bool = False
    gone: tuple[str, ...] = ()

    @property
    def has_asked(self) -> bool:
        """False when nothing was due, or Bitbucket wants silence: such a round knows nothing of how it is."""
        return self.has_listed or bool(self.pipelines or self.problems or self.refused)


def look_around(context: CrewContext, client: BitbucketClient) -> Round:
    """One round of looks, most urgent first. Bitbucket's failures are in the result, never raised."""
    polling = _Polling(context, client)
    seen = Round()
    planned = polling.plan()
    if planned.list_changes or planned.list_all:
        try:
            if planned.list_all:
                polling.list_all()
            else:
                polling.list_changes()
            seen.has_listed = True
        except UpstreamError as problem:
            seen.problems["(list of repositories)"] = str(problem)
            seen.is_down = not polling.states
        planned = polling.plan()
    _look_at(planned.repositories, polling, seen)
    seen.is_down = seen.is_down or (bool(seen.problems) and not (seen.pipelines or seen.refused))
    seen.left_out, seen.gone = seen.left_out + planned.left_out, tuple(sorted(polling.gone))
    polling.save()
    return seen


def _look_at(repositories: tuple[str, ...], polling: _Polling, seen: Round) -> None:
    """A few at a time, in the order of urgency. Ends early when nothing answers any more."""
    failures_in_a_row = 0
    with ThreadPoolExecutor(LOOKS_AT_ONCE, thread_name_prefix="look") as pool:
        for start in range(0, len(repositories), LOOKS_AT_ONCE):
            if failures_in_a_row >= GIVE_UP_AFTER:
                seen.is_down, seen.left_out = True, repositories[start:]
                return
            few = repositories[start : start + LOOKS_AT_ONCE]
            for repo, answer in zip(few, pool.map(polling.ask, few), strict=True):
                if isinstance(answer, UpstreamError):
                    polling.failed(repo)
                    _note_failure(repo, answer, seen)
                    failures_in_a_row += isinstance(answer, TemporaryError)
                else:
                    seen.pipelines[repo] = polling.looked(repo, answer)
                    failures_in_a_row = 0


def _note_failure(repo: str, problem: UpstreamError, seen: Round) -> None:
    """A refusal is an answer about that repository; one that is about the token speaks for all of Bitbucket."""
    if isinstance(problem, Refused):
        told = seen.problems if problem.is_about_the_token else seen.refused
        told[repo] = f"{problem} {problem.hint}".strip()
    else:
        seen.problems[repo] = str(problem)


class _Polling:
    """The planner's state during one round."""

    def __init__(self, context: CrewContext, client: BitbucketClient) -> None:
        part = context.settings.bitbucket
        assert part is not None, "a client exists only where Bitbucket is configured"
        self._context, self._client, self._part = context, client, part
        self._rules = poll_rules()
        self._webhooks = part.webhook_secret is not None
        known = poll_states.load_states(context.engine, client.workspace)
        self.states = {repo: state for repo, state in known.items() if self._is_watched(repo)}
        self.gone = known.keys() - self.states.keys()
        self._changed: dict[str, PollState] = {}
        bucket = poll_states.load_poller(context.engine, client.workspace)
        self._bucket: Poller = refilled(bucket, context.clock(), part.requests_per_hour, self._rules)
        self._wake()

    def plan(self) -> Plan:
        """Which questions fit now."""
        budget = self._client.budget
        left = {"remaining": budget.remaining, "limit": budget.limit}
        return plan(
            self.states.values(),
            self._bucket,
            self._context.clock(),
            requests=allowance(self._bucket, **left, rules=self._rules),
            limit=budget.limit,
            webhooks=self._webhooks,
            rules=self._rules,
            catch_up=catch_up(self._bucket, **left, rules=self._rules),
        )

    def list_changes(self) -> None:
        """Learns of new repositories and of those that moved, among the hundred that changed last."""
        self._list(ONE_PAGE, everything=False)

    def list_all(self) -> None:
        """Learns of every repository there is. What is not among them is gone once Bitbucket says so itself: a list
        that moves while its pages are asked for, or breaks off, says nothing."""
        known = set(self.states)
        found = self._list(FULL_LISTING, everything=True)
        # Where most are missing, the list is rather that of another account, or of one that lost its rights.
        if len(found) < FULL_LISTING and 2 * len(known - found) <= len(known):
            missing = sorted(self.states.keys() - found)[:MOST_ASKED_AFTER]
            gone = {repo for repo in missing if self._is_gone(repo)}
            self._bucket = spent(self._bucket, len(missing))
            self.gone |= gone
            self.states = {repo: state for repo, state in self.states.items() if repo not in gone}

    def _is_gone(self, repo: str) -> bool:
        try:
            return self._client.repository(repo) is None
        except UpstreamError:
            return False  # refused or unanswered, which is no word on whether it is there

    def _list(self, limit: int, *, everything: bool) -> set[str]:
        """The names of all that were listed, watched or not."""
        now = self._context.clock()
        found = self._client.repositories(limit=limit, newest_first=everything)
        updated = {one.slug: one.updated_on for one in found if self._is_watched(one.slug)}
        self._keep(after_listing(self.states, updated, now))
        self._bucket = spent(self._bucket, 1 + len(found) // ONE_PAGE)
        self._bucket = listed(self._bucket, now, everything=everything)
        return {one.slug for one in found}

    def ask(self, repo: str) -> tuple[Pipeline, ...] | UpstreamError:
        """The newest pipelines of one repository, or why not. Changes nothing here: several may ask at once."""
        try:
            return self._client.pipelines(repo, limit=PIPELINES_PER_LOOK)
        except UpstreamError as problem:
            return problem

    def looked(self, repo: str, found: tuple[Pipeline, ...]) -> tuple[Pipeline, ...]:
        """Takes note of what a look has shown."""
        self._bucket = spent(self._bucket, 1)
        moments = [moment for one in found for moment in (one.created_on, one.completed_on) if moment]
        state = after_look(
            self.states[repo],
            self._context.clock(),
            # One that waits for a person's click changes when the person clicks, perhaps in days: no reason to hurry.
            is_running=any(one.state.is_running for one in found),
            latest=max(moments, default=None),
            has_failed=bool(found) and found[0].failed,
        )
        self._keep({repo: state})
        return found

    def failed(self, repo: str) -> None:
        """Look again later, each time later."""
        self._bucket = spent(self._bucket, 1)
        self._keep({repo: after_failed_look(self.states[repo], self._context.clock())})

    def save(self) -> None:
        """Restarts go on from here."""
        changed = [state for repo, state in self._changed.items() if repo in self.states]
        poll_states.save(self._context.engine, self._client.workspace, changed, self._bucket)
        poll_states.forget(self._context.engine, self._client.workspace, self.gone)

    def _keep(self, states: Mapping[str, PollState]) -> None:
        for repo, state in states.items():
            if self.states.get(repo) != state:
                self.states[repo] = self._changed[repo] = state

    def _wake(self) -> None:
        """What webhooks announced comes first, and is not forgotten where the budget has no room for it now."""
        now = self._context.clock()
        watched = filter(self._is_watched, _drained(self._context.woken_by))
        self._keep({repo: after_hint(self.states.get(repo) or PollState(repo), now) for repo in watched})

    def _is_watched(self, repo: str) -> bool:
        return any(fnmatchcase(repo, pattern) for pattern in self._part.repositories)


def _drained(queue: SimpleQueue[str]) -> set[str]:
    found = set()
    while True:
        try:
            found.add(queue.get_nowait())
        except Empty:
            return found
