"""What exists in the sandbox: repositories, commits, pull requests, pipelines, runners, tokens.

Everything is derived from a seed and an injected clock, so two worlds made alike are alike to the byte.
"""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from demo.bitbucket.faults import Faults
from demo.bitbucket.pipelines import Run, StepRun, Target
from demo.bitbucket.scenarios import scenario

PEOPLE = ("Ada Lindqvist", "Bo Ferrari", "Chidi Marsh", "Dana Okafor", "Eva Roth")
SCOPES = frozenset({"repository", "pullrequest", "pipeline", "pipeline:write", "runner"})
TOKEN = "sandbox-token"
READ_ONLY_TOKEN = "read-only-token"


@dataclass(frozen=True)
class CommitEntry:
    """One commit; ``parent`` is "" for the first."""

    hash: str
    message: str
    author: str
    date: datetime
    parent: str


@dataclass(frozen=True)
class PullRequestEntry:
    """An open pull request whose head is ``commit``."""

    number: int
    title: str
    author: str
    source: str
    destination: str
    commit: str
    destination_commit: str
    created: datetime


@dataclass
class RepositoryEntry:
    """``updated`` moves with a push and with nothing else, as it does at Bitbucket.

    ``without_definition`` are branches that no pipeline is defined for, and commits without a bitbucket-pipelines.yml.
    """

    slug: str
    language: str
    uuid: str
    created: datetime
    updated: datetime
    commits: list[CommitEntry] = field(default_factory=list)
    heads: dict[str, str] = field(default_factory=dict)
    pull_requests: list[PullRequestEntry] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    without_definition: set[str] = field(default_factory=set)


@dataclass
class RunnerEntry:
    """A self-hosted runner."""

    name: str
    uuid: str
    labels: tuple[str, ...]
    status: str = "ONLINE"


class World:
    """``clock`` gives the time; ``requests_per_hour`` is the rolling limit per token.

    Without ``pages_tell_next``, lists have neither ``next`` nor ``size``, as some are recorded; then the page behind
    the last is ``{}``. ``limits_tell_how_long``: whether a 429 of the hourly limit comes with a Retry-After; the
    recorded ones do not. ``reshape`` may change each entry of a list before it is sent, as releases of the API do.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        *,
        workspace: str = "acme",
        seed: int = 7,
        requests_per_hour: int = 1000,
    ) -> None:
        self.clock = clock
        self.workspace = workspace
        self.uuid = "{0322c364-7b12-4172-8bd3-0db9a3d21667}"
        self.seed = seed
        self.requests_per_hour = requests_per_hour
        self.tokens: dict[str, frozenset[str]] = {TOKEN: SCOPES, READ_ONLY_TOKEN: SCOPES - {"pipeline:write"}}
        self.repositories: dict[str, RepositoryEntry] = {}
        self.runners: list[RunnerEntry] = []
        self.runners_available = True
        self.pages_tell_next = True
        self.limits_tell_how_long = False
        self.reshape: Callable[[dict[str, Any]], dict[str, Any]] = lambda entry: entry
        self.faults = Faults()
        self.outage_is_over = False
        self.lock = threading.RLock()
        self._dice = random.Random(seed)

    def add_repository(self, slug: str, language: str = "python") -> RepositoryEntry:
        """An empty repository with one first commit on ``main``."""
        with self.lock:
            entry = RepositoryEntry(slug, language, self._uuid(), self.clock(), self.clock())
            self.repositories[slug] = entry
            self._commit(entry, "main", "Start")
            return entry

    def add_runner(self, name: str, labels: Iterable[str] = ("self.hosted", "linux")) -> RunnerEntry:
        """A runner that is online and idle."""
        runner = RunnerEntry(name, self._uuid(), tuple(labels))
        self.runners.append(runner)
        return runner

    def push(self, slug: str, fate: str, *, branch: str = "main", tag: str = "", message: str = "") -> Run:
        """A new commit on ``branch`` and the pipeline that it starts; with ``tag``, the pipeline of that tag."""
        with self.lock:
            entry = self.repositories[slug]
            commit = self._commit(entry, branch, message or f"Change {len(entry.commits)}")
            target = Target("tag", commit.hash, tag, tag) if tag else Target("branch", commit.hash, branch, branch)
            return self._start(entry, target, fate, trigger="PUSH", creator=commit.author)

    def open_pull_request(self, slug: str, fate: str, *, source: str, title: str = "") -> Run:
        """A commit on ``source``, a pull request of it into main, and the pull request's pipeline."""
        with self.lock:
            entry = self.repositories[slug]
            base = entry.heads["main"]
            commit = self._commit(entry, source, title or f"Work on {source}")
            number = len(entry.pull_requests) + 1
            entry.pull_requests.append(
                PullRequestEntry(
                    number, title or source, commit.author, source, "main", commit.hash, base, self.clock()
                )
            )
            target = Target("pull_request", commit.hash, source, "**", number, "main", base)
            return self._start(entry, target, fate, trigger="PULL_REQUEST", creator=commit.author)

    def run_custom(self, slug: str, fate: str, *, pattern: str, branch: str = "main") -> Run:
        """A person starts a custom pipeline on the branch's newest commit."""
        with self.lock:
            entry = self.repositories[slug]
            target = Target("custom", entry.heads[branch], branch, pattern)
            return self._start(entry, target, fate, trigger="MANUAL", creator=self._dice.choice(PEOPLE))

    def merge_queue(self, slug: str, fate: str, *, into: str = "main") -> Run:
        """A merge queue tries what it would merge: a branch of its own that lives for this one pipeline."""
        with self.lock:
            entry = self.repositories[slug]
            number = len(entry.runs) + 1
            commit = self._commit(entry, f"bitbucket-merge-queue-{number}", f"Merge {number} into {into}")
            name = f"bitbucket-merge-queue-{number}"
            target = Target("merge_queue", commit.hash, name, f"mergequeue-{into}", number, into)
            return self._start(entry, target, fate, trigger="PUSH", creator=commit.author)

    def repeat_failed_steps(self, run: Run) -> None:
        """A person presses "rerun failed steps": the same pipeline goes on, and keeps every UUID."""
        with self.lock:
            run.repeated_at.append(self.clock())

    def start(self, slug: str, target: Target, variables: tuple[dict[str, Any], ...] = ()) -> Run:
        """What POST /pipelines does: the same fate as the last pipeline of this target or commit, next attempt."""
        with self.lock:
            entry = self.repositories[slug]
            alike = [run for run in entry.runs if run.target.identity == target.identity]
            alike = alike or [run for run in entry.runs if run.target.commit == target.commit]
            fate = alike[-1].scenario_name if alike else "passing"
            return self._start(entry, target, fate, trigger="MANUAL", creator="Crew", variables=variables)

    def stop(self, run: Run, who: str) -> bool:
        """False when it had already ended."""
        with self.lock:
            now = self.clock()
            if run.ended(now) is not None:
                return False
            run.stopped_at, run.stopped_by = now, who
            return True

    def end_outage(self) -> None:
        """From now on, new attempts of the ``outage`` scenario pass."""
        self.outage_is_over = True

    def find_repository(self, workspace: str, key: str) -> RepositoryEntry | None:
        """By slug or UUID; the workspace too."""
        if workspace not in (self.workspace, self.uuid):
            return None
        found = self.repositories.get(key)
        return found or next((entry for entry in self.repositories.values() if entry.uuid == key), None)

    def find_run(self, slug: str, key: str) -> Run | None:
        """By UUID, with or without braces, or by build number."""
        runs = self.repositories[slug].runs
        return next((run for run in runs if key in (run.uuid, run.uuid.strip("{}"), str(run.number))), None)

    def find_commit(self, slug: str, key: str) -> CommitEntry | None:
        """By hash, a beginning of it (7 digits or more), or a branch's name."""
        entry = self.repositories[slug]
        wanted = entry.heads.get(key, key)
        if len(wanted) < 7:
            return None
        return next((commit for commit in entry.commits if commit.hash.startswith(wanted)), None)

    def _commit(self, entry: RepositoryEntry, branch: str, message: str) -> CommitEntry:
        parent = entry.heads.get(branch) or entry.heads.get("main", "")
        digest = f"{self._dice.getrandbits(160):040x}"
        commit = CommitEntry(digest, message, self._dice.choice(PEOPLE), self.clock(), parent)
        entry.commits.append(commit)
        entry.heads[branch] = digest
        entry.updated = self.clock()
        return commit

    def _start(
        self,
        entry: RepositoryEntry,
        target: Target,
        fate: str,
        *,
        trigger: str,
        creator: str,
        variables: tuple[dict[str, Any], ...] = (),
    ) -> Run:
        script = scenario(fate)
        attempt = 1 + sum(run.target.identity == target.identity for run in entry.runs)
        now = self.clock()
        steps = tuple(
            StepRun(self._uuid(), step, step.outcome(attempt, outage_is_over=self.outage_is_over))
            for step in script.steps
        )
        commit = self.find_commit(entry.slug, target.commit)
        run = Run(
            uuid=self._uuid(),
            number=len(entry.runs) + 1,
            repository=entry.slug,
            target=target,
            scenario=script,
            scenario_name=fate,
            attempt=attempt,
            created=now,
            trigger=trigger,
            creator=creator,
            steps=steps,
            message=commit.message if commit else "",
            variables=variables or tuple(variable.model_dump() for variable in script.variables),
            error=script.error,
        )
        if script.stopped_after is not None and attempt == 1:
            run.stopped_at = now + timedelta(seconds=script.stopped_after)
            run.stopped_by = self._dice.choice(PEOPLE)
        entry.runs.append(run)
        return run

    def _uuid(self) -> str:
        return f"{{{uuid.UUID(int=self._dice.getrandbits(128), version=4)}}}"
