"""Serves step logs: whole, by range, growing while the step runs, or from a log store on another host."""

from __future__ import annotations

import re

from fastapi import HTTPException, Request, Response

from demo.bitbucket.logs import build_log
from demo.bitbucket.pipelines import Run, StepState
from demo.bitbucket.world import World

RANGE = re.compile(r"bytes=(\d*)-(\d*)$")
STORE = "/_logstore/"


def step_log(world: World, run: Run, state: StepState) -> bytes:
    """The bytes that are there at this moment."""
    entry = world.repositories[run.repository]
    outcome = state.step.outcome
    target = run.target
    subject = run.message.partition("\n")[0]
    whole = build_log(entry.language, outcome.log, target.commit, target.name, world.seed, subject)
    share = outcome.cut
    if state.started is not None and (state.ended is None or state.result == "STOPPED"):
        passed = ((state.ended or world.clock()) - state.started).total_seconds()
        share *= min(1.0, passed / state.step.script.seconds)
    return whole[: int(len(whole) * share)]


def log_response(request: Request, data: bytes, key: str) -> Response:
    """Honours Range, and the log faults of ``faults.py``."""
    fault = request.scope.get("sandbox.fault", "")
    if fault == "redirect_log":
        # Another host name for the same machine: a client must not hand its token to it.
        host = "localhost" if request.url.hostname != "localhost" else "127.0.0.1"
        store = request.url.replace(hostname=host, path=STORE + key.replace("{", "").replace("}", ""), query="sig=x1")
        return Response(status_code=307, headers={"Location": str(store)})
    wanted = RANGE.match(request.headers.get("range", ""))
    if wanted is None or not any(wanted.groups()) or fault == "ignore_range":
        return Response(data, media_type="application/octet-stream")
    first, last = _bounds(wanted, len(data))
    if first >= len(data) or last < first or (fault == "no_suffix_range" and not wanted.group(1)):
        return Response(status_code=416, headers={"Content-Range": f"bytes */{len(data)}"})
    return Response(
        data[first : last + 1],
        status_code=206,
        media_type="application/octet-stream",
        headers={"Content-Range": f"bytes {first}-{last}/{len(data)}", "Accept-Ranges": "bytes"},
    )


def stored_log(world: World, request: Request, run_uuid: str, step_uuid: str) -> Response:
    """The log store: a signed address is the only credential it takes."""
    if request.headers.get("authorization"):
        raise HTTPException(400, "Only one auth mechanism allowed")
    if request.query_params.get("sig") != "x1":
        raise HTTPException(403, "Request has expired")
    for entry in world.repositories.values():
        for run in entry.runs:
            for state in run.step_states(world.clock()) if run.uuid.strip("{}") == run_uuid else ():
                if state.step.uuid.strip("{}") == step_uuid:
                    return log_response(request, step_log(world, run, state), key="")
    raise HTTPException(404, "No such key")


def _bounds(wanted: re.Match[str], length: int) -> tuple[int, int]:
    """First and last byte asked for, both inclusive (RFC 9110, section 14.1.2)."""
    start, end = wanted.groups()
    if not start:
        count = int(end)
        return (max(0, length - count), length - 1) if count else (length, length - 1)
    return int(start), min(int(end), length - 1) if end else length - 1
