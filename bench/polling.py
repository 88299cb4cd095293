"""Simulates a working day of 200 repositories and the planner that watches them, on virtual time.

Owns nothing of the judgement: it makes arrivals and durations, plays Bitbucket (with the real budget keeper on the
client's side), runs the real planner at every tick, and counts requests and delays. Seeded, so a change of the rules
can be compared with the last run.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.section import Row, Section, at_most
from opscrew.ci.watch.poll_bucket import allowance, catch_up, poll_rules, refilled, spent
from opscrew.ci.watch.polling import PollState, after_hint, after_listing, after_look, listed, plan
from tools.bitbucket.budget import BudgetKeeper
from tools.errors import TemporaryError

SEED = 20261006
REPOSITORIES = 200
CEILING = 900
TICK = timedelta(seconds=60)
START = datetime(2026, 10, 6, 0, 0, tzinfo=UTC)
DAY = timedelta(hours=24)

PUSHES_BY_HOUR = (0, 0, 0, 0, 0, 1, 2, 4, 9, 12, 12, 9, 6, 9, 12, 11, 9, 6, 3, 2, 1, 1, 0, 0)
"""Share of the day's pushes in each hour: an office in one time zone, with lunch and a few who stay late."""
SCHEDULED_SHARE = 0.12
"""Pipelines that nobody pushed for: nightly, hourly and manual ones, which no repository date tells of."""
FAILING_SHARE = 0.2
WEBHOOK_SECONDS = 1.5
"""Assumed way of a webhook from Bitbucket to us; not measured."""
WEBHOOK_LOSS = 0.02


@dataclass
class Build:
    """One pipeline. ``pushed`` tells those that move the repository's date from those that do not."""

    repository: str
    created: datetime
    ended: datetime
    pushed: bool
    failed: bool
    quiet: bool = False
    seen: datetime | None = None


@dataclass
class Count:
    """What was sent and when."""

    requests: list[datetime] = field(default_factory=list)
    refused: int = 0
    postponed: int = 0


def working_day(pushes: int, dice: random.Random, repositories: int = REPOSITORIES) -> dict[str, list[Build]]:
    """Builds by repository. Few repositories get most pushes (Zipf), durations are log-normal around 6 minutes."""
    names = [f"repo-{n:03}" for n in range(repositories)]
    weights = [1 / (rank + 3) for rank in range(repositories)]
    builds: dict[str, list[Build]] = {name: [] for name in names}

    def add(name: str, moment: datetime, *, pushed: bool) -> None:
        minutes = min(90.0, max(0.7, dice.lognormvariate(1.8, 0.8)))
        end = moment + timedelta(minutes=minutes)
        failed = dice.random() < FAILING_SHARE
        builds[name].append(Build(name, moment, end, pushed, failed))
        if failed and dice.random() < 0.3:  # somebody, or the crew, starts it again: no push tells of that
            again = end + timedelta(minutes=dice.uniform(1, 15))
            builds[name].append(Build(name, again, again + timedelta(minutes=minutes), False, dice.random() < 0.5))

    for _ in range(pushes):
        hour = dice.choices(range(24), PUSHES_BY_HOUR)[0]
        add(dice.choices(names, weights)[0], START + timedelta(hours=hour, minutes=dice.uniform(0, 60)), pushed=True)
    for _ in range(int(pushes * SCHEDULED_SHARE)):
        add(dice.choice(names), START + timedelta(hours=dice.uniform(0, 24)), pushed=False)
    for found in builds.values():
        found.sort(key=lambda build: build.created)
        for build in found:
            build.quiet = not any(
                other.pushed and build.ended - timedelta(hours=2) <= other.created <= build.ended for other in found
            )
    return builds


class Simulation:
    """One day with one planner. ``listing`` off shows what the repository dates are worth; ``known`` off begins with
    repositories that nobody has looked at yet."""

    def __init__(
        self, builds: dict[str, list[Build]], *, webhooks: bool, listing: bool, seed: int, known: bool = True
    ) -> None:
        self.builds = builds
        self.webhooks = webhooks
        self.listing = listing
        self.count = Count()
        self.now = START
        self.rules = poll_rules()
        self.keeper = BudgetKeeper(CEILING, lambda: self.now)
        before = START - timedelta(minutes=30) if known else None
        self.states = {name: PollState(name, polled_at=before) for name in builds}
        self.poller = refilled(None, START, CEILING, self.rules)
        self.hooks = self._deliveries(random.Random(seed)) if webhooks else []
        self.pushes = {name: [b.created for b in found if b.pushed] for name, found in builds.items()}

    def start(self, hour: int) -> float:
        """Begins at an hour of the day; the minutes until every repository has been looked at."""
        self.now = began = START + timedelta(hours=hour)
        while any(state.polled_at is None for state in self.states.values()) and self.now < began + DAY:
            self._tick()
            self.now += TICK
        done = max(state.polled_at or self.now for state in self.states.values())
        while self.now < began + timedelta(hours=2):
            self._tick()
            self.now += TICK
        return (done - began).total_seconds() / 60

    def run(self) -> None:
        """Ticks through the day; webhooks fall between the ticks and cause a look of their own."""
        position = 0
        while self.now < START + DAY + timedelta(hours=2):
            following = self.now + TICK
            while position < len(self.hooks) and self.hooks[position][0] <= following:
                self.now, name = self.hooks[position]
                self.states[name] = after_hint(self.states[name], self.now)
                self._tick()
                position += 1
            self.now = following
            self._tick()

    def _deliveries(self, dice: random.Random) -> list[tuple[datetime, str]]:
        found = [
            (moment + timedelta(seconds=WEBHOOK_SECONDS), build.repository)
            for several in self.builds.values()
            for build in several
            for moment in (build.created, build.ended)
            if dice.random() >= WEBHOOK_LOSS
        ]
        return sorted(found)

    def _tick(self) -> None:
        self.poller = refilled(self.poller, self.now, CEILING, self.rules)
        budget = self.keeper.current()
        requests = allowance(self.poller, remaining=budget.remaining, limit=budget.limit, rules=self.rules)
        chosen = plan(
            self.states.values(),
            self.poller,
            self.now,
            requests=requests,
            limit=budget.limit,
            webhooks=self.webhooks,
            rules=self.rules,
            catch_up=catch_up(self.poller, remaining=budget.remaining, limit=budget.limit, rules=self.rules),
        )
        lists = chosen.list_changes or chosen.list_all
        self.count.postponed += len(chosen.left_out)
        names = chosen.repositories
        if lists and self.listing:
            self._send()
            before = {name for name, state in self.states.items() if state.hinted_at}
            self.states = after_listing(self.states, self._dates(), self.now)
            hinted = [name for name, state in self.states.items() if state.hinted_at and name not in before]
            names = tuple(dict.fromkeys([*hinted, *names]))[: max(len(names), requests - 1)]
        self.poller = spent(self.poller, len(names) + (lists and self.listing))
        if lists:
            self.poller = listed(self.poller, self.now, everything=chosen.list_all)
        for name in names:
            self._look(name)

    def _dates(self) -> dict[str, datetime | None]:
        """What the first page of a hundred says: the repositories that changed last."""
        dates = {}
        for name, pushes in self.pushes.items():
            place = bisect_right(pushes, self.now)
            dates[name] = pushes[place - 1] if place else START - timedelta(days=30)
        latest = sorted(dates, key=lambda name: dates[name], reverse=True)[:100]
        return {name: dates[name] for name in latest}

    def _look(self, name: str) -> None:
        if not self._send():
            return
        known = [build for build in self.builds[name] if build.created <= self.now]
        for build in known:
            if build.ended <= self.now and build.seen is None:
                build.seen = self.now
                for _ in range(3 if build.failed else 0):  # steps, log, and a re-run or a commit
                    self._send()
        moments = [moment for build in known for moment in (build.created, build.ended) if moment <= self.now]
        running = any(build.ended > self.now for build in known)
        failed = bool(known) and known[-1].failed
        self.states[name] = after_look(
            self.states[name], self.now, is_running=running, latest=max(moments, default=None), has_failed=failed
        )

    def _send(self) -> bool:
        try:
            self.keeper.take("")
        except TemporaryError:
            self.count.refused += 1
            return False
        self.count.requests.append(self.now)
        return True


def measure(data: Path) -> Section:
    """Needs no data: the day is made here."""
    section = Section(
        "polling",
        "Watching 200 Bitbucket repositories",
        "A simulated working day on virtual time, with the real planner and the real budget keeper: 200 repositories, "
        f"pushes by office hours, {SCHEDULED_SHARE:.0%} scheduled or manual pipelines, re-runs, follow-up requests for "
        "each failure, a look every 60 s. Delay is from the end of a pipeline to the look that sees it. Quiet: no push "
        f"in that repository for two hours. With webhooks {WEBHOOK_LOSS:.0%} are lost and each takes "
        f"{WEBHOOK_SECONDS} s, which is assumed.",
    )
    for title, pushes, webhooks, listing in (
        ("400 pushes", 400, False, True),
        ("400 pushes, without the listing", 400, False, False),
        ("800 pushes", 800, False, True),
        ("800 pushes, webhooks", 800, True, True),
        ("2,000 pushes", 2000, False, True),
        ("2,000 pushes, webhooks", 2000, True, True),
    ):
        builds = working_day(pushes, random.Random(SEED))
        simulation = Simulation(builds, webhooks=webhooks, listing=listing, seed=SEED)
        simulation.run()
        section.rows.extend(_rows(title, simulation, has_target=pushes == 400 and listing, webhooks=webhooks))
    for repositories in (63, REPOSITORIES, 600):
        section.rows.extend(_start_rows(repositories))
    return section


def _start_rows(repositories: int) -> list[Row]:
    """A first start at ten in the morning of a day with 800 pushes: when all have been looked at, and what it costs."""
    builds = working_day(800, random.Random(SEED), repositories)
    simulation = Simulation(builds, webhooks=False, listing=True, seed=SEED, known=False)
    minutes = simulation.start(hour=10)
    most, _ = _per_hour(simulation.count.requests)
    title = f"first start, {repositories} repositories"
    target = 2 if repositories <= REPOSITORIES else None
    rows = [Row(f"{title}: minutes until all were looked at", f"{minutes:.0f}")]
    if target is not None:
        rows = [at_most(f"{title}: minutes until all were looked at", minutes, target, "", digits=0)]
    return [*rows, at_most(f"{title}: most requests in any hour", most, CEILING, "1,000 allowed", digits=0)]


def _rows(title: str, simulation: Simulation, *, has_target: bool, webhooks: bool) -> list[Row]:
    most, mean = _per_hour(simulation.count.requests)
    builds = [build for found in simulation.builds.values() for build in found if build.ended < START + DAY]
    active = _delays([build for build in builds if not build.quiet])
    quiet = _delays([build for build in builds if build.quiet])
    unseen = sum(build.seen is None for build in builds)
    rows = [at_most(f"{title}: most requests in any hour", most, CEILING, "1,000 allowed", digits=0)]
    rows.append(Row(f"{title}: mean requests an hour, 8 to 18", f"{mean:.0f}"))
    text = f"{_at(active, 0.5):.0f} / {_at(active, 0.95):.0f} s"
    if webhooks:
        rows.append(Row(f"{title}: delay active p50 / p95", text, "p50 ≤ 2 s", "", _at(active, 0.5) <= 2))
    elif has_target:
        rows.append(Row(f"{title}: delay active p50 / p95", text, "p95 ≤ 60 s", "", _at(active, 0.95) <= 60))
    else:
        rows.append(Row(f"{title}: delay active p50 / p95", text))
    rows.append(Row(f"{title}: delay quiet p50 / p95", f"{_at(quiet, 0.5):.0f} / {_at(quiet, 0.95):.0f} s"))
    rows.append(Row(f"{title}: pipelines never seen / all", f"{unseen} / {len(builds)}", "0", "", unseen == 0))
    return rows


def _per_hour(requests: list[datetime]) -> tuple[int, float]:
    """The most in any sliding hour, and the mean of the office hours."""
    most = start = 0
    for end, moment in enumerate(requests):
        while requests[start] <= moment - timedelta(hours=1):
            start += 1
        most = max(most, end - start + 1)
    office = [moment for moment in requests if START + timedelta(hours=8) <= moment < START + timedelta(hours=18)]
    return most, len(office) / 10


def _delays(builds: list[Build]) -> list[float]:
    return sorted((build.seen - build.ended).total_seconds() for build in builds if build.seen is not None)


def _at(values: list[float], share: float) -> float:
    return values[min(len(values) - 1, int(len(values) * share))] if values else float("nan")
