"""Assembles the sandbox: the API under /2.0, its gate, its faults, and the controls under /_sandbox."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import HTTPException
from fastapi.responses import JSONResponse, PlainTextResponse

from demo.bitbucket import controls, pipeline_routes, source_routes
from demo.bitbucket.faults import FaultyNetwork
from demo.bitbucket.gate import Gate
from demo.bitbucket.world import World


def create_app(world: World) -> FastAPI:
    """The application for ``demo.serving.serve``. The client's URL is the served one plus "/2.0"."""
    app = FastAPI(title="Bitbucket sandbox", openapi_url=None)
    app.state.world = world
    app.mount("/", _routes())
    app.add_exception_handler(HTTPException, _as_bitbucket_says_it)
    app.add_exception_handler(404, _as_bitbucket_says_it)
    app.add_middleware(Gate, world=world)
    app.add_middleware(FaultyNetwork, faults=world.faults, clock=world.clock)
    return app


@cache
def _routes() -> APIRouter:
    """Shared by all sandboxes of a process; see ``asked_world``."""
    routes = APIRouter()
    routes.include_router(source_routes.router, prefix="/2.0")
    routes.include_router(pipeline_routes.router, prefix="/2.0")
    routes.include_router(controls.router)
    return routes


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
