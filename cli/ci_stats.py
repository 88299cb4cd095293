"""`crew ci stats`: how builds went in a day or a time: in all, or by step, repository, branch, author or signature."""

from __future__ import annotations

from enum import StrEnum

import typer

from cli.context import app_of
from cli.output import json_option


class By(StrEnum):
    """What `--by` knows, with the dimension that it means in the catalogue."""

    STEP = "step"
    REPO = "repo"
    BRANCH = "branch"
    AUTHOR = "author"
    SIGNATURE = "signature"


SUMMARY = (
    *("runs", "successes", "failures", "success_rate", "reruns", "rescues"),
    *("pipeline_duration", "pipeline_duration:p50", "pipeline_duration:p95", "queue_time", "time_to_green"),
    *("build_minutes", "wasted_minutes", "step_failures"),
)
OF_BUILDS = ("runs", "failures", "success_rate", "pipeline_duration", "pipeline_duration:p95", "rescues")
OF_STEPS = ("step_failures", "step_runs", "step_failure_rate", "step_duration", "step_duration:p95", "queue_time")
COLUMNS = {By.STEP: OF_STEPS, By.SIGNATURE: ("failures_by_signature",)}
DIMENSIONS = {By.REPO: "repository"}


def stats(
    context: typer.Context,
    day: str = typer.Option("", "--day", metavar="DAY", help="One day: today, yesterday or 2026-11-02."),
    since: str = typer.Option("", "--since", metavar="TIME", help="From this time on: 7d, 2026-11-02; else today."),
    until: str = typer.Option(
        "", "--until", metavar="TIME", help="Before this time, or to the end of this day; else now."
    ),
    repo: list[str] = typer.Option([], "--repo", metavar="REPO", help="Only this repository; repeatable."),
    by: By = typer.Option(
        None, "--by", metavar="WHAT", help="One row for each step, repo, branch, author or signature."
    ),
    compare: bool = typer.Option(False, "--compare", help="Beside it the same length of time before."),
    limit: int = typer.Option(0, "--limit", metavar="N", min=0, help="At most so many rows; totals are of all."),
    as_json: bool = json_option(),
) -> None:
    """Show how builds went: how many passed and failed, how long they took and waited, what was wasted.

    Counted from what the crew has read of Bitbucket; the last line says of how much of the whole that is. What each
    number means, `crew measures show` tells. Exit code 1 when a repository is not known.
    """
    from cli.measure_tables import answer
    from cli.spans import span_before, span_of
    from opscrew.clock import utc_now
    from opscrew.measures.query import Query

    app = app_of(context)
    zone, now = app.quiet_settings.zone, utc_now()
    span = span_of(day, since, until, now, zone)
    query = Query(
        SUMMARY if by is None else COLUMNS.get(by, OF_BUILDS),
        span,
        () if by is None else (DIMENSIONS.get(by, by.value),),
        {"repository": tuple(repo)} if repo else {},
        span_before(span, zone) if compare else None,
        "-failures" if by in (By.REPO, By.BRANCH, By.AUTHOR) else "",
        limit or None,
    )
    answer(app.database, query, now, zone, as_json=as_json)
