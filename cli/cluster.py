"""`crew cluster`: what is wrong in a Kubernetes cluster, live or in saved files."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from cli.context import App, app_of
from cli.help import example
from cli.output import json_option, print_json

if TYPE_CHECKING:
    from opscrew.cluster.assessment import Assessment
    from opscrew.model.finding import Finding


def register(application: typer.Typer) -> None:
    group = typer.Typer(
        epilog=example("crew cluster check --context prod"),
        help="Check Kubernetes clusters, live or from saved files.",
        no_args_is_help=True,
    )
    group.command("check", epilog=example("crew cluster check --context prod"))(check)
    group.command("summary", epilog=example("crew cluster summary --context prod"))(summary)
    application.add_typer(group, name="cluster")


def check(
    context: typer.Context,
    cluster: str = typer.Option(
        "", "--context", metavar="CLUSTER", help="Cluster by its name in crew.yaml, else a kubeconfig context."
    ),
    inputs: list[Path] = typer.Option(
        [], "--input", metavar="FILE", help="A saved List, array or object (JSON or YAML); repeatable."
    ),
    files: list[Path] = typer.Argument(None, metavar="FILE...", help="More saved files, as with --input."),
    now: str = typer.Option(
        "", "--now", metavar="TIME", help="When the files were saved (2026-01-31T12:00:00Z); else their newest time."
    ),
    as_json: bool = json_option(),
) -> None:
    """Show what is wrong: one finding per cause, gravest first."""
    from opscrew.errors import UsageError

    paths = [*inputs, *(files or [])]
    if paths and cluster:
        raise UsageError("--context and --input exclude each other", "Files are judged without any cluster.")
    if paths:
        _check_files(app_of(context), paths, _parse_time(now), as_json)
        return
    if now:
        raise UsageError("--now needs --input", "A live cluster is judged by the present time.")
    _check_clusters(app_of(context), cluster, as_json)


def summary(
    context: typer.Context,
    cluster: str = typer.Option(
        "", "--context", metavar="CLUSTER", help="Cluster by its name in crew.yaml, else a kubeconfig context."
    ),
    as_json: bool = json_option(),
) -> None:
    """Show counts, what is new since yesterday, the top findings, throttled workloads and the events in short."""
    from crews.summaries.cluster import summarise

    app = app_of(context)
    for part in summarise(app.settings, app.database, cluster):
        if as_json:
            print_json(part.as_json())
        else:
            typer.echo(part.as_text())


def _parse_time(text: str) -> datetime | None:
    from datetime import UTC

    from opscrew.errors import UsageError

    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as problem:
        raise UsageError(f"--now {text!r} is not a time", "Write it like 2026-01-31T12:00:00Z.") from problem
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _check_files(app: App, paths: list[Path], now: datetime | None, as_json: bool) -> None:
    from opscrew.cluster.assessment import assess
    from opscrew.cluster.report.noise import load_noise
    from opscrew.cluster.snapshot_files import read_snapshot
    from opscrew.errors import CrewError

    noise = load_noise(app.settings.cluster_noise)
    failures: list[CrewError] = []
    for path in paths:
        try:
            read = read_snapshot(path, now)
        except CrewError as problem:
            # The other files are still judged; the command fails at the end.
            failures.append(problem)
            if as_json:
                print_json({"file": str(path), "findings": [], "error": problem.message})
            continue
        assessment = assess(read.snapshot, noise)
        if as_json:
            extra: dict[str, Any] = {"malformed": read.malformed} if read.malformed else {}
            if assessment.not_checked:
                extra["not_checked"] = assessment.not_checked
            print_json({"file": str(path), "findings": _rows(assessment.findings), **extra})
        else:
            typer.echo(_as_text(str(path), assessment, "every object in this file was judged"))
    if failures:
        raise failures[0]


def _check_clusters(app: App, cluster: str, as_json: bool) -> None:
    import gc

    # A sweep keeps a million small objects until the process ends a moment later: neither the collector on the way nor
    # the last collection at the end finds anything in them, and both would look at them all.
    gc.disable()
    try:
        _sweep_and_print(app, cluster, as_json)
    finally:
        gc.freeze()
        gc.enable()


def _sweep_and_print(app: App, cluster: str, as_json: bool) -> None:
    from crews.runtime.clusters import sweep_clusters
    from opscrew.cluster.assessment import assess
    from opscrew.cluster.report.noise import load_noise

    settings = app.quiet_settings
    noise = load_noise(settings.cluster_noise)
    for name, snapshot in sweep_clusters(settings, cluster):
        assessment = assess(snapshot, noise, name)
        if as_json:
            row = {"cluster": name, "findings": _rows(assessment.findings), "not_checked": assessment.not_checked}
            print_json(row)
        else:
            typer.echo(_as_text(name, assessment, "every kind was read"))


def _rows(findings: list[Finding]) -> list[dict[str, Any]]:
    """One object per finding; ``affected`` is there only where other objects suffer from the same cause."""
    from opscrew.cluster.report.summary import row_of

    return [
        {
            **row_of(finding),
            "evidence": [evidence.text for evidence in finding.evidence],
            **({"affected": affected} if (affected := finding.details.get("affected")) else {}),
        }
        for finding in findings
    ]


def _as_text(title: str, assessment: Assessment, read: str) -> str:
    from opscrew.cluster.report.wording import assessment_text

    return assessment_text(title, assessment, read)
