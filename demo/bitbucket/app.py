"""Assembles the sandbox: the API under /2.0, its gate, its faults, and the controls under /_sandbox."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import HTTPException
from fastapi.responses import JSONResponse, PlainTextResponse

from demo.bitbucket.controls import control_routes
from demo.bitbucket.faults import FaultyNetwork
from demo.bitbucket.gate import Gate
from demo.bitbucket.pipeline_routes import pipeline_routes
from demo.bitbucket.source_routes import source_routes
from demo.bitbucket.world import World


def create_app(world: World) -> FastAPI:
    """The application for ``demo.serving.serve``. The client's URL is the served one plus "/2.0"."""
    app = FastAPI(title="Bitbucket sandbox", openapi_url=None)
    app.state.world = world
    app.include_router(source_routes(world), prefix="/2.0")
    app.include_router(pipeline_routes(world), prefix="/2.0")
    app.include_router(control_routes(world))
    app.add_exception_handler(HTTPException, _as_bitbucket_says_it)
    app.add_exception_handler(404, _as_bitbucket_says_it)
    app.add_middleware(Gate, world=world)
    app.add_middleware(FaultyNetwork, faults=world.faults, clock=world.clock)
    return app


async def _as_bitbucket_says_it(request: Request, problem: Any) -> Response:
    """The error form around words or an error object; as it is what Bitbucket answers when it breaks itself; plain text
    for what pull requests do not have."""
    said = problem.detail
    if problem.status_code == 404 and said == "Not Found":
        if "pullrequests" in request.url.path:
            return PlainTextResponse("Not Found", status_code=404)
        said = {"message": "Resource not found", "detail": "There is no API hosted at this URL"}
    if problem.status_code >= 500 and isinstance(said, dict):
        return JSONResponse(said, status_code=problem.status_code)
    error = said if isinstance(said, dict) else {"message": str(said)}
    return JSONResponse({"type": "error", "error": error}, status_code=problem.status_code, headers=problem.headers)
