"""Which repositories to look at now, so that all of them fit into Bitbucket's hourly number of requests.

Pure: state in, plan out. ``poll_states.py`` keeps the state over restarts, ``polling.yaml`` holds the numbers.

Each repository has an interval that follows from what was last seen in it. The plan takes those first whose wait is
longest *in terms of their own interval*; when requests are short, all are stretched by the same factor and none
starves. ``poll_bucket.py`` says how many may be taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from opscrew.ci.watch.poll_bucket import Poller, PollRules, for_looks

MOST_FAILURES = 6
"""Beyond this the wait no longer grows; the quiet interval has long been reached."""

CLOCK_DIFFERENCE = timedelta(minutes=2)
"""Between Bitbucket's clock and ours. A look too many is cheaper than a push that is missed."""


@dataclass(frozen=True, slots=True)
class PollState:
    """What is known about one repository (its slug). ``hinted_at``: somebody said "look", and nobody has since.

    ``active_at`` is the last sign that more will come soon: a push, a running pipeline, a failure that somebody may
    repeat. ``updated_on`` is the repository's own date as last listed, ``failures`` counts looks in a row that failed.
    """

    repository: str
    polled_at: datetime | None = None
    active_at: datetime | None = None
    is_running: bool = False
    hinted_at: datetime | None = None
    updated_on: datetime | None = None
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What to ask now. ``repositories`` are in order of urgency; ``left_out`` are due as well and did not fit.

    Of ``list_changes`` (one request) and ``list_all`` at most one is true.
    """

    list_changes: bool
    list_all: bool
    repositories: tuple[str, ...]
    left_out: tuple[str, ...]


def interval(state: PollState, now: datetime, *, webhooks: bool, rules: PollRules) -> timedelta:
    """How long after the last look the next one is due."""
    shortest = rules.active_seconds_with_webhooks if webhooks else rules.active_seconds
    longest = rules.quiet_seconds_with_webhooks if webhooks else rules.quiet_seconds
    if state.is_running:
        seconds = shortest
    elif state.active_at is None:
        seconds = longest
    else:
        silence = max(0.0, (now - state.active_at).total_seconds())
        seconds = min(longest, max(shortest, silence * rules.widening))
    seconds *= rules.failure_factor ** min(state.failures, MOST_FAILURES)
    return timedelta(seconds=min(seconds, longest))


def urgency(state: PollState, now: datetime, *, webhooks: bool, rules: PollRules) -> float:
    """The wait since the last look as a multiple of the interval; 1 and more means due."""
    if state.hinted_at is not None and not state.failures:
        return float("inf")
    if state.polled_at is None or state.polled_at > now:  # never, or the clock went back
        return 1e6
    waited = (now - state.polled_at).total_seconds() + rules.jitter_seconds
    return waited / interval(state, now, webhooks=webhooks, rules=rules).total_seconds()


def plan(  # noqa: PLR0913  state, time and rules, each given by the caller so that the plan stays pure
    states: Iterable[PollState],
    poller: Poller,
    now: datetime,
    *,
    requests: int,
    limit: int,
    webhooks: bool,
    rules: PollRules,
    catch_up: int = 0,
) -> Plan:
    """At most ``requests`` questions: first the listing when it is due, then the repositories, most urgent first.

    ``limit`` is what an hour allows; of little, the listing must not eat all. A full listing may take more than
    ``requests``, since it is rare and needs as many as there are hundreds of repositories. Without webhooks, requests
    that would go to waste are spent on the quiet ones that are nearest to being due. Repositories left for longer than
    the longest interval bring room of their own, ``catch_up`` of them at most.
    """
    known = list(states)
    ranked = sorted(
        ((urgency(state, now, webhooks=webhooks, rules=rules), state.repository) for state in known),
        key=lambda pair: (-pair[0], pair[1]),
    )
    due = tuple(repository for wait, repository in ranked if wait >= 1)
    list_all = requests > 0 and _is_due(poller.all_listed_at, now, rules.full_listing_hours * 3600, rules)
    every = rules.listing_seconds_with_webhooks if webhooks else rules.listing_seconds
    every = max(every, 3600 / (rules.listing_share * for_looks(limit, rules))) if limit > 0 else every
    if requests == 1 and due:
        every *= 2  # so that the one request of a round goes to a look every other time
    list_changes = requests > 0 and not list_all and _is_due(poller.listed_at, now, every, rules)
    room = max(0, requests - (list_all or list_changes))
    room += min(catch_up, sum(_was_left(state, now, webhooks=webhooks, rules=rules) for state in known))
    taken, left_out = due[:room], due[room:]
    if len(due) < room and not webhooks:
        spare = min(room - len(due), int(poller.tokens - rules.spare_above * rules.burst))
        early = [repository for wait, repository in ranked if rules.early_share <= wait < 1]
        taken += tuple(early[: max(0, spare)])
    return Plan(list_changes, list_all, taken, left_out)


def listed(poller: Poller, now: datetime, *, everything: bool) -> Poller:
    """A listing came back, of the latest changes or of everything."""
    return replace(poller, listed_at=now, all_listed_at=now if everything else poller.all_listed_at)


def after_look(
    state: PollState, now: datetime, *, is_running: bool, latest: datetime | None, has_failed: bool = False
) -> PollState:
    """``latest`` is the newest time at which a pipeline of it was created or completed, None where there is none.

    ``has_failed`` tells that the newest one failed. Then somebody is likely to start it again, which no listing
    tells of, so the repository stays watched; after a success it is left to the listing and to rare looks.
    """
    active_at = state.active_at
    if is_running:
        active_at = now
    elif has_failed:
        active_at = latest
    elif latest is not None and active_at is not None and active_at <= latest:
        active_at = None  # what was announced has come, and ended well
    return replace(state, polled_at=now, is_running=is_running, active_at=active_at, hinted_at=None, failures=0)


def after_failed_look(state: PollState, now: datetime) -> PollState:
    """It could not be read. What was known stays, the hint too: it is looked at again, later each time."""
    return replace(state, polled_at=now, failures=state.failures + 1)


def after_hint(state: PollState, now: datetime) -> PollState:
    """A webhook named it, or its date moved: look at the next chance, and keep looking for a while.

    The pipeline may appear some seconds after the push that starts it.
    """
    return replace(state, hinted_at=now, active_at=now)


def after_listing(
    states: Mapping[str, PollState], updated: Mapping[str, datetime | None], now: datetime
) -> dict[str, PollState]:
    """Takes over dates from a listing (slug to ``updated_on``): new repositories appear, moved dates are hints.

    Repositories that the listing does not name stay, because it may be only its first page.
    """
    result = dict(states)
    for repository, moment in updated.items():
        state = states.get(repository)
        if state is None:
            state = PollState(repository, active_at=moment)
        elif _has_moved(state, moment):
            state = after_hint(state, now)
        result[repository] = replace(state, updated_on=moment or state.updated_on)
    return result


def _has_moved(state: PollState, moment: datetime | None) -> bool:
    """Whether the repository's date tells of something that no look has seen.

    A repository that was never on the listing's first page has no known date; then its last look is the measure.
    """
    known = state.updated_on or (state.polled_at and state.polled_at - CLOCK_DIFFERENCE)
    return moment is not None and known is not None and moment > known


def _is_due(last: datetime | None, now: datetime, seconds: float, rules: PollRules) -> bool:
    """Also when it never was, or when the clock went back behind it."""
    waited = None if last is None else (now - last).total_seconds() + rules.jitter_seconds
    return waited is None or waited >= seconds or waited < 0


def _was_left(state: PollState, now: datetime, *, webhooks: bool, rules: PollRules) -> bool:
    """Not looked at for the longest interval there is, or never: what a start or a long pause leaves behind."""
    longest = rules.quiet_seconds_with_webhooks if webhooks else rules.quiet_seconds
    return not state.failures and _is_due(state.polled_at, now, longest, rules)
