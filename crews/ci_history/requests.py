"""Sends the history's requests: counts them, stops when Bitbucket does not answer, and notes what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ParamSpec, TypeVar

from crews.runtime.context import CrewContext
from opscrew.ci_history.coverage import Coverage, save_coverage
from tools.bitbucket.client import BitbucketClient
from tools.bitbucket.failures import Refused
from tools.bitbucket.pipeline_page import LONGEST_PAGE, PipelinePage
from tools.errors import TemporaryError, UpstreamError

Answer = TypeVar("Answer")
Given = ParamSpec("Given")


class Asking:
    """One run's requests. ``left`` is what may still be sent; ``problems`` says what did not answer, in order."""

    def __init__(self, client: BitbucketClient, allowed: int) -> None:
        self.client = client
        self.left, self.sent, self.answers, self.pages, self.steps = allowed, 0, 0, 0, 0
        self.problems: list[str] = []
        self.is_down = False

    def ask(
        self, about: str, question: Callable[Given, Answer], *given: Given.args, **named: Given.kwargs
    ) -> Answer | None:
        """The answer; None where there is no room, or Bitbucket refuses or does not answer."""
        try:
            return self.try_to(question, *given, **named)
        except UpstreamError as problem:
            self.problems.append(f"{about}: {problem}")
            return None

    def try_to(self, question: Callable[Given, Answer], *given: Given.args, **named: Given.kwargs) -> Answer | None:
        """The answer; None where there is no room for it. Raises what Bitbucket does."""
        if self.left <= 0:
            return None
        self.left, self.sent = self.left - 1, self.sent + 1
        try:
            found = question(*given, **named)
        except TemporaryError:
            self.left, self.is_down = 0, True  # the rest waits for the next run
            raise
        self.answers += 1
        return found

    def page(
        self, context: CrewContext, known: Coverage, number: int, length: int = LONGEST_PAGE
    ) -> PipelinePage | None:
        """One page of a repository's pipelines, newest first. A refusal is kept with its coverage."""
        slug = known.repository.split("/", 1)[1]
        try:
            found = self.try_to(self.client.pipelines_page, slug, number, length)
        except UpstreamError as problem:
            self.problems.append(f"{known.repository}: {problem}")
            if not isinstance(problem, TemporaryError):
                _note_refusal(context, known, problem)
            return None
        self.pages += found is not None
        return found


def is_gone(problem: UpstreamError) -> bool:
    """Whether Bitbucket says that there is no such thing, or none that this account may see."""
    return isinstance(problem, Refused) and problem.status == 404


def _note_refusal(context: CrewContext, known: Coverage, problem: UpstreamError) -> None:
    refused = replace(known, refused=str(problem)[:500], tried_at=context.clock())
    with context.engine.begin() as connection:
        save_coverage(connection, refused)
