"""The Bitbucket Cloud API, one method per question. ``repo`` is always the slug within the client's workspace.

Raises only ``TemporaryError`` and ``PermanentError``. Reading repeats itself on passing trouble; writing never does.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, BinaryIO, TypeVar
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from tools.bitbucket import failures
from tools.bitbucket.budget import SYSTEM, BudgetKeeper, RequestBudget
from tools.bitbucket.connection import Access, Connection
from tools.bitbucket.pipeline_page import LONGEST_PAGE, PipelinePage, read_page
from tools.bitbucket.reading import Reader
from tools.bitbucket.records import (
    Commit,
    CommitStatus,
    Deployment,
    Pipeline,
    PipelineStep,
    PullRequest,
    Repository,
    Runner,
    TestCase,
    TestReportSummary,
)
from tools.bitbucket.rerun_request import missing_for_rerun, rerun_body
from tools.bitbucket.shapes import Answer
from tools.bitbucket.step_logs import LogSlice, copy_log, read_tail
from tools.errors import PermanentError
from tools.trust import trusted_certificates

Record = TypeVar("Record", bound=Answer)
Result = TypeVar("Result")

TAIL_BYTES = 256 * 1024
"""Enough for the last step's output of nearly every build, and one quick request."""
WHOLE_LOG_BYTES = 200 * 1024 * 1024


class BitbucketClient:
    """Thread-safe. Close it, or use it as a context manager."""

    def __init__(  # noqa: PLR0913  one argument per setting, and the three that tests replace
        self,
        url: str,
        workspace: str,
        *,
        clock: Callable[[], datetime],
        token: str = "",
        user: str = "",
        timeout_seconds: float = 20,
        requests_per_hour: int = 900,
        on_response: Callable[[str], object] = lambda outcome: None,
        http: httpx.Client | None = None,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self.workspace = workspace
        # The library reads proxy settings of the environment by itself; companies rely on that.
        self._http = http or httpx.Client(
            verify=trusted_certificates(as_the_environment_says=True),
            timeout=httpx.Timeout(timeout_seconds),
            follow_redirects=False,
        )
        self._budget = BudgetKeeper(requests_per_hour, clock)
        self._reader = Reader()
        self._connection = Connection(
            Access(url, token, user, timeout_seconds),
            self._budget,
            clock=clock,
            http=self._http,
            on_response=on_response,
            **({"sleep": sleep} if sleep else {}),
        )

    def __enter__(self) -> BitbucketClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    @property
    def budget(self) -> RequestBudget:
        """Requests left in this hour."""
        return self._budget.current()

    @property
    def granted_scopes(self) -> frozenset[str] | None:
        """What the token may do, known after the first answer; None where Bitbucket does not say."""
        return self._connection.granted_scopes

    def ping(self) -> str:
        """One cheap request that needs the token and the workspace. Returns what was found, in words."""
        answer = self._connection.get(f"repositories/{_part(self.workspace)}", {"pagelen": 1})
        size = answer.get("size") if isinstance(answer, dict) else None
        return f"workspace {self.workspace}" + (f", {size} repositories visible" if isinstance(size, int) else "")

    def repositories(self, *, limit: int = 1000, newest_first: bool = False) -> tuple[Repository, ...]:
        """Latest change first. ``updated_on`` moves with a push, but not with a re-run or a scheduled pipeline.

        With ``newest_first`` by their age, an order that does not move while its pages are asked for: a push between
        two pages lifts a repository over the border, where neither page shows it.
        """
        query = {"sort": "-created_on" if newest_first else "-updated_on"}
        return self._list(Repository, f"repositories/{_part(self.workspace)}", query, limit)

    def repository(self, repo: str) -> Repository | None:
        """None where Bitbucket says that there is none, or none that this account may see."""
        return _unless_missing(lambda: self._one(Repository, self._repository(repo)))

    def pipelines(
        self,
        repo: str,
        *,
        status: str | None = None,
        branch: str | None = None,
        since: datetime | None = None,
        limit: int = 30,
        every: bool = False,
    ) -> tuple[Pipeline, ...]:
        """Newest first. ``status`` is a word of the API (FAILED, BUILDING, …); ``since`` cuts by creation time.

        An entry that cannot be read at all is left out. With ``every`` that is an error: which pipeline is the newest
        cannot be said without it.
        """
        query = {"sort": "-created_on"}
        if status:
            query["status"] = status
        if branch:
            query["target.branch"] = branch
        path = self._repository(repo, "pipelines/")
        found = self._list(Pipeline, path, query, limit, enough=_older_than(since), every=every)
        return tuple(one for one in found if since is None or one.created_on >= since)

    def pipelines_page(self, repo: str, number: int, length: int = LONGEST_PAGE) -> PipelinePage:
        """Page ``number`` (from 1) of all pipelines, newest first. New ones move what stands on each page."""
        return read_page(self._connection, self._reader, self._repository(repo, "pipelines/"), number, length)

    def pipeline(self, repo: str, uuid_or_number: str | int) -> Pipeline:
        path = self._repository(repo, "pipelines", str(uuid_or_number))
        return self._one(Pipeline, path)

    def steps(self, repo: str, pipeline_uuid: str) -> tuple[PipelineStep, ...]:
        """In the order of the definition. None is left out: what cannot be read is ``unreadable``."""
        path = self._repository(repo, "pipelines", pipeline_uuid, "steps/")
        return tuple(self._reader.read_any(PipelineStep, data) for data in self._connection.pages(path, limit=1000))

    def step_log_tail(self, repo: str, pipeline_uuid: str, step_uuid: str, *, max_bytes: int = TAIL_BYTES) -> LogSlice:
        """The end of a step's log; empty where there is none, which happens when the runner never started."""
        return read_tail(self._connection, self._log(repo, pipeline_uuid, step_uuid), max_bytes)

    def step_log(
        self, repo: str, pipeline_uuid: str, step_uuid: str, into: BinaryIO, *, max_bytes: int = WHOLE_LOG_BYTES
    ) -> int:
        """Copies a step's log from its start into ``into``. Returns the number of bytes."""
        return copy_log(self._connection, self._log(repo, pipeline_uuid, step_uuid), into, max_bytes)

    def test_reports(self, repo: str, pipeline_uuid: str, step_uuid: str) -> TestReportSummary | None:
        """None where the step reported no tests."""
        path = self._repository(repo, "pipelines", pipeline_uuid, "steps", step_uuid, "test_reports")
        return _unless_missing(lambda: self._one(TestReportSummary, path))

    def test_cases(self, repo: str, pipeline_uuid: str, step_uuid: str, *, limit: int = 200) -> tuple[TestCase, ...]:
        """Empty where the step reported no tests."""
        path = self._repository(repo, "pipelines", pipeline_uuid, "steps", step_uuid, "test_reports", "test_cases")
        return _unless_missing(lambda: self._list(TestCase, path, {}, limit)) or ()

    def commit(self, repo: str, sha: str) -> Commit:
        return self._one(Commit, self._repository(repo, "commit", sha))

    def commits_between(self, repo: str, *, include: str, exclude: str, limit: int = 50) -> tuple[Commit, ...]:
        """Commits that lead to ``include`` and not to ``exclude``, newest first."""
        return self._list(Commit, self._repository(repo, "commits", include), {"exclude": exclude}, limit)

    def pull_requests_of_commit(self, repo: str, sha: str) -> tuple[PullRequest, ...]:
        """Empty too while Bitbucket has not indexed the commit yet, which it answers with 404 or 202."""
        path = self._repository(repo, "commit", sha, "pullrequests")
        return _unless_missing(lambda: self._list(PullRequest, path, {}, 50)) or ()

    def statuses(self, repo: str, sha: str) -> tuple[CommitStatus, ...]:
        return self._list(CommitStatus, self._repository(repo, "commit", sha, "statuses"), {}, 100)

    def step(self, repo: str, pipeline_uuid: str, step_uuid: str) -> PipelineStep:
        path = self._repository(repo, "pipelines", pipeline_uuid, "steps", step_uuid)
        return self._reader.read_any(PipelineStep, self._connection.get(path))

    def deployments(self, repo: str, *, limit: int = 30, since: datetime | None = None) -> tuple[Deployment, ...]:
        """Latest start first. None is left out: what cannot be read is ``unreadable``.

        With ``since`` later pages are left out once all that began later are surely there.
        """
        # Not recorded: whether the list keeps to this order, and where those without a time stand in it. So the first
        # page is read to its end, and further ones are left out only while the order is kept.
        query = {"sort": "-state.started_on"}
        found: list[Deployment] = []
        for data in self._connection.pages(self._repository(repo, "deployments/"), query, limit=limit):
            found.append(self._reader.read_any(Deployment, data))
            if since is not None and len(found) >= LONGEST_PAGE and _all_begun_since(found, since):
                break
        return tuple(found)

    def runners(self, repo: str | None = None) -> tuple[Runner, ...] | None:
        """The workspace's own runners, or a repository's. None where the API is not available to this account."""
        where = f"workspaces/{_part(self.workspace)}" if repo is None else self._repository(repo)
        return _unless_missing(lambda: self._list(Runner, f"{where}/pipelines-config/runners", {}, 100))

    def rerun(self, repo: str, pipeline: Pipeline) -> Pipeline:
        """Starts a new pipeline with the same target, selector and variables. Sent once, never repeated.

        A ``TemporaryError`` may mean that it was started all the same: look before sending again.
        """
        missing = missing_for_rerun(pipeline)
        if missing:
            raise PermanentError(
                f"cannot run {repo} #{pipeline.build_number} again: {missing}",
                system=SYSTEM,
                url=pipeline.url,
                hint="Start it by hand in Bitbucket.",
            )
        path = self._repository(repo, "pipelines/")
        _, answer = self._connection.post(path, rerun_body(pipeline))
        return self._record(Pipeline, answer, path)

    def stop(self, repo: str, pipeline_uuid: str) -> bool:
        """True when Bitbucket was told to stop it, False when it had already ended."""
        try:
            self._connection.post(self._repository(repo, "pipelines", pipeline_uuid, "stopPipeline"))
        except failures.Refused as refused:
            if refused.status == 400:
                return False
            raise
        return True

    def _repository(self, repo: str, *rest: str) -> str:
        return "/".join(("repositories", _part(self.workspace), _part(repo), *map(_part, rest)))

    def _log(self, repo: str, pipeline_uuid: str, step_uuid: str) -> str:
        return self._repository(repo, "pipelines", pipeline_uuid, "steps", step_uuid, "log")

    def _one(self, kind: type[Record], path: str) -> Record:
        return self._record(kind, self._connection.get(path), path)

    def _record(self, kind: type[Record], data: Any, path: str) -> Record:
        try:
            return self._reader.read(kind, data)
        except ValidationError as problem:
            raise self._odd(kind, path, problem) from problem

    def _list(
        self,
        kind: type[Record],
        path: str,
        query: dict[str, Any],
        limit: int,
        *,
        enough: Callable[[Any], bool] = lambda record: False,
        every: bool = False,
    ) -> tuple[Record, ...]:
        """Up to ``limit`` records, each once; stops asking for pages once ``enough`` is true for one.

        A list that moves while its pages are asked for tells an entry twice. A single unreadable entry is left out,
        since one odd pipeline must not hide the others; with ``every``, and when none can be read, it is an error.
        """
        found: dict[Any, Record] = {}
        last_problem: ValidationError | None = None
        for place, data in enumerate(self._connection.pages(path, query, limit=limit)):
            try:
                record = self._reader.read(kind, data)
            except ValidationError as problem:
                last_problem = problem
                continue
            found.setdefault(getattr(record, "uuid", "") or place, record)
            if enough(record):
                break
        if last_problem is not None and (every or not found):
            raise self._odd(kind, path, last_problem) from last_problem
        return tuple(found.values())

    @staticmethod
    def _odd(kind: type[Answer], path: str, problem: ValidationError) -> PermanentError:
        place = ".".join(str(step) for step in problem.errors()[0]["loc"]) or "the whole"
        return failures.odd_answer(path, f"the answer is no {kind.__name__}: {place} is missing or odd")


def _unless_missing(question: Callable[[], Result]) -> Result | None:
    """The answer, or None for 404."""
    try:
        return question()
    except failures.Refused as refused:
        if refused.status == 404:
            return None
        raise


def _part(text: str) -> str:
    """One part of an address, escaped: braces of UUIDs, and slashes that a name must not smuggle in."""
    trailing = "/" if text.endswith("/") else ""
    name = text.removesuffix("/")
    if name in (".", "..", ""):
        raise PermanentError(f"not a name: {text!r}", system=SYSTEM, hint="Give a repository's slug or a UUID.")
    return quote(name, safe="") + trailing


def _all_begun_since(found: list[Deployment], since: datetime) -> bool:
    """Whether a list in falling order has passed the moment."""
    began = [one.started_on for one in found if one.started_on is not None]
    return bool(began) and began[-1] < since and began == sorted(began, reverse=True)


def _older_than(since: datetime | None) -> Callable[[Pipeline], bool]:
    return lambda pipeline: since is not None and pipeline.created_on < since
