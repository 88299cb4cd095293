"""`crew knowledge`: runbooks, incidents and notes; search them, add to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cli.context import App, app_of
from cli.help import example
from cli.output import console, json_option, notes, print_json

SHORTEST_TITLE = 20
"""Columns that a title gets even beside a long name."""

if TYPE_CHECKING:
    from opscrew.memory.library import Library
    from opscrew.memory.search import Hit


def register(application: typer.Typer) -> None:
    group = typer.Typer(
        epilog=example("crew knowledge search 'disk is full'"),
        help="Search and keep runbooks, incidents and notes.",
        no_args_is_help=True,
    )
    group.command("search", epilog=example("crew knowledge search 'disk is full'"))(search)
    group.command("add", epilog=example("crew knowledge add runbook.md"))(add)
    group.command("list", epilog=example("crew knowledge list --kind runbook"))(show_list)
    group.command("remove", epilog=example("crew knowledge remove note/runbook"))(remove)
    application.add_typer(group, name="knowledge")


def search(
    context: typer.Context,
    question: list[str] = typer.Argument(
        None, metavar="QUESTION...", help="A question, an alert's text, or its PromQL expression."
    ),
    top: int = typer.Option(10, "--top", metavar="N", min=1, max=1000, help="How many to show."),
    system: str = typer.Option(
        "", "--system", metavar="SYSTEM", help="Only of this system (bitbucket, kubernetes, …)."
    ),
    kind: str = typer.Option("", "--kind", metavar="KIND", help="Only runbook, incident, episode or note."),
    words_only: bool = typer.Option(False, "--words", help="Search by words alone, without the vector index."),
    docs: str = typer.Option("", "--docs", metavar="FILE", help='Batch: documents, {"id","title","text"} a line.'),
    queries: str = typer.Option("", "--queries", metavar="FILE", help='Batch: queries, {"query_id","query"} a line.'),
    as_json: bool = json_option(),
) -> None:
    """Find the runbook, incident or note that fits."""
    from opscrew.errors import UsageError

    app = app_of(context)
    if docs or queries:
        if not (docs and queries) or question:
            raise UsageError("a batch needs --docs and --queries, and no question", "`crew knowledge search -h`")
        _batch(app, docs, queries, top, words_only)
        return
    text = " ".join(question or []).strip()
    if not text:
        raise UsageError("nothing to search for", 'crew knowledge search "pod restarts after deploy"')
    _check_kind(kind)
    _print(_found(app, text, top, system, kind, words_only), as_json)


def _found(app: App, text: str, top: int, system: str, kind: str, words_only: bool) -> list[Hit]:
    from opscrew.clock import utc_now
    from opscrew.memory.recall import NO_VECTORS, Recall

    embedding = NO_VECTORS if words_only else app.settings.memory.embedding
    library = _library(app)
    with Recall(library, utc_now, app.settings.data_dir, embedding) as recall:
        embedded = recall.refresh()
        if embedded:
            notes().print(f"indexed {embedded} new or changed pieces", soft_wrap=True)
        hits = list(recall.find(text, top=top, system=system, kind=kind))
        if recall.note:
            notes().print(recall.note, soft_wrap=True, markup=False)
    return hits


def _print(hits: list[Hit], as_json: bool) -> None:
    if as_json:
        for hit in hits:
            print_json(_as_json(hit))
        return
    from rich.markup import escape

    screen = console()
    if not hits:
        screen.print("Nothing shares a word with that. Try other words, or `crew knowledge list`.")
    elif not hits[0].relevant:
        screen.print("Nothing fits well; these are the nearest.\n")
    for place, hit in enumerate(hits, 1):
        screen.print(f"[bold]{place}. {escape(hit.document.title)}[/bold]  {escape(hit.document.id)}")
        excerpt = " ".join(hit.excerpt.split())
        screen.print(f"   {escape(excerpt[:220] + (' …' if len(excerpt) > 220 else ''))}\n")


def _as_json(hit: Hit) -> dict[str, object]:
    similarity = None if hit.similarity is None else round(hit.similarity, 4)
    return {
        "id": hit.document.id,
        "title": hit.document.title,
        "kind": hit.document.kind,
        "system": hit.document.system,
        "score": round(hit.score, 4),
        "coverage": round(hit.coverage, 4),
        "similarity": similarity,
        "relevant": hit.relevant,
        "excerpt": hit.excerpt,
    }


def _batch(app: App, docs: str, queries: str, top: int, words_only: bool) -> None:
    from pathlib import Path

    from opscrew.memory.batch import rank_all, read_documents, read_queries
    from opscrew.memory.embedding import embedder
    from opscrew.memory.recall import NO_VECTORS

    model = app.settings.memory.embedding
    words_only = words_only or model == NO_VECTORS
    chosen = None if words_only else embedder(model, app.settings.data_dir / "models", threads=2)
    documents, asked = read_documents(Path(docs)), read_queries(Path(queries))
    for line in rank_all(documents, asked, chosen, top):
        print_json(line)


def add(
    context: typer.Context,
    file: list[str] = typer.Argument(
        ..., metavar="FILE...", help="Markdown or text files; each becomes a note of its name."
    ),
    as_json: bool = json_option(),
) -> None:
    """Add files. The same file name again replaces the earlier note."""
    from pathlib import Path

    library = _library(app_of(context))
    for name in file:
        document = library.add(Path(name))
        if as_json:
            print_json({"id": document.id, "title": document.title})
        else:
            typer.echo(f"added {document.id}: {document.title}")


def show_list(
    context: typer.Context,
    system: str = typer.Option("", "--system", metavar="SYSTEM", help="Only of this system."),
    kind: str = typer.Option("", "--kind", metavar="KIND", help="Only runbook, incident, episode or note."),
    as_json: bool = json_option(),
) -> None:
    """List every document."""
    from cli.text import width
    from opscrew.memory.summary import shortened

    _check_kind(kind)
    found = [
        document
        for document in _library(app_of(context)).documents()
        if (not system or document.system == system) and (not kind or document.kind == kind)
    ]
    for document in found:
        if as_json:
            values = {"id": document.id, "title": document.title, "kind": document.kind, "system": document.system}
            print_json({**values, "code": document.code, "happened_at": document.happened_at})
        else:
            head = f"{document.id:<42} "
            typer.echo(head + shortened(document.title, max(SHORTEST_TITLE, width() - len(head))))
    if not found and not as_json:
        typer.echo("Nothing here. `crew knowledge add FILE` adds a note.")


def remove(context: typer.Context, identity: str = typer.Argument(..., metavar="ID", help="As listed.")) -> None:
    """Remove an added note or an episode for good."""
    app = app_of(context)
    _library(app).remove(identity)
    _forget_vectors(app)
    typer.echo(f"removed {identity}")


def _forget_vectors(app: App) -> None:
    """Also out of the vector index, where there is one. Its owner, if it is another process, does it within minutes."""
    from opscrew.clock import utc_now
    from opscrew.memory.recall import Recall, index_folder

    if index_folder(app.settings.data_dir).is_dir():
        with Recall(_library(app), utc_now, app.settings.data_dir, app.settings.memory.embedding) as recall:
            recall.forget()
            if recall.note:
                notes().print("the vector index forgets it when the daemon looks next", soft_wrap=True)


def _library(app: App) -> Library:
    from opscrew.clock import utc_now
    from opscrew.memory.library import Library

    return Library(app.database, utc_now)


def _check_kind(kind: str) -> None:
    from opscrew.errors import UsageError
    from opscrew.memory.documents import KINDS

    if kind and kind not in KINDS:
        raise UsageError(f"there is no kind {kind}", f"Kinds: {', '.join(KINDS)}.")
