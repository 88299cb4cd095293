"""The status page for people (/) and the same as JSON (/api/status)."""

from __future__ import annotations

from html import escape
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, JSONResponse
from sqlalchemy.exc import SQLAlchemyError

from opscrew.settings import HOW_TO_CONFIGURE, NOTHING_CONFIGURED
from server.context import ServerContext
from server.overview import overview

STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.2rem .8rem .2rem 0;vertical-align:top}"
    "th{border-bottom:1px solid #bbb}.failed,.critical{color:#b00020}.partial,.warning{color:#a15c00}.off{color:#777}"
)


def router(context: ServerContext) -> APIRouter:
    routes = APIRouter()

    @routes.get("/api/status")
    def status() -> JSONResponse:
        try:
            return JSONResponse(overview(context))
        except SQLAlchemyError:
            return JSONResponse({"error": "the database does not answer"}, status_code=503)

    @routes.get("/", response_class=HTMLResponse)
    def page() -> HTMLResponse:
        try:
            return HTMLResponse(render(overview(context)))
        except SQLAlchemyError:
            return HTMLResponse(_document("<p class=failed>The database does not answer.</p>"), status_code=503)

    return routes


def render(state: dict[str, Any]) -> str:
    """The page, without scripts: it must show its facts in any browser, and in none under attack."""
    alive = f"Running since {escape(state['started_at'])}; it is {escape(state['now'])}."
    notes = [] if state["scheduler_running"] else ["<p class=failed>The scheduler is stopped.</p>"]
    if state["watches_nothing"]:
        notes.append(f"<p class=failed>{escape(NOTHING_CONFIGURED)} {escape(HOW_TO_CONFIGURE)}</p>")
    if state["dry_run"]:
        notes.append("<p class=warning>Dry run: nothing is changed anywhere.</p>")
    findings = ", ".join(
        f"<span class={escape(severity)}>{count} {escape(severity)}</span>"
        for severity, count in reversed(state["open_findings"].items())
    )
    waiting = state["actions_waiting"]
    approvals = f"{waiting} waiting for approval (<code>crew actions</code>)" if waiting else "None wait for approval."
    crews = _table(("Crew", "What it does", "State", "Next run"), [_crew_row(crew) for crew in state["crews"]])
    runs = _table(("Started", "Crew", "Seconds", "Outcome", "Summary"), [_run_row(run) for run in state["runs"]])
    return _document(
        f"<p>{alive}</p>{''.join(notes)}<h2>Open findings</h2><p>{findings}</p><h2>Actions</h2><p>{approvals}</p>"
        f"<h2>Crews</h2>{crews}<h2>Last runs</h2>{runs}"
    )


def _crew_row(crew: dict[str, Any]) -> list[tuple[str, str]]:
    state = crew["state"]
    if crew["not_configured"]:
        state = f"off: {', '.join(crew['not_configured'])} not configured"
    elif crew["running_seconds"] is not None:
        state = f"running for {crew['running_seconds']} s"
    return [(crew["crew"], ""), (crew["title"], ""), (state, crew["state"]), (crew["next_run_at"] or "", "")]


def _run_row(run: dict[str, Any]) -> list[tuple[str, str]]:
    silent = f" (no answer: {', '.join(run['unavailable'])})" if run["unavailable"] else ""
    values = [run["started_at"], run["crew"], str(run["seconds"]), run["outcome"], run["summary"] + silent]
    return [(value, run["outcome"] if value == run["outcome"] else "") for value in values]


def _table(heads: tuple[str, ...], rows: list[list[tuple[str, str]]]) -> str:
    if not rows:
        return "<p>None yet.</p>"
    head = "".join(f"<th>{escape(text)}" for text in heads)
    body = "".join("<tr>" + "".join(f'<td class="{escape(kind)}">{escape(text)}' for text, kind in row) for row in rows)
    return f"<table><tr>{head}{body}</table>"


def _document(body: str) -> str:
    return (
        '<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width">'
        f"<meta http-equiv=refresh content=30><title>crew</title><style>{STYLE}</style><h1>crew</h1>{body}</html>"
    )
