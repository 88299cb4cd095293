"""For whoever keeps the daemon alive: is the process there (/healthz), is it doing its work (/readyz)."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path

import structlog
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter
from fastapi.responses import JSONResponse
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from opscrew.store.database import reading
from server.context import ServerContext

log = structlog.get_logger(__name__)

LEAST_ROOM = 1024 * 1024
"""Bytes: about one round with news in it. `crew doctor` warns much earlier."""
HOLDS_FOR = 1.0
"""Seconds for which one look answers everybody."""


def router(context: ServerContext) -> APIRouter:
    routes = APIRouter()

    @routes.get("/healthz")
    async def alive() -> dict[str, str]:
        """Answered by the event loop itself, so it says that the process is there, and nothing more."""
        return {"status": "alive"}

    readiness = _Readiness(context)

    @routes.get("/readyz")
    async def ready() -> JSONResponse:
        """200 when crews are being started, the database answers and the disk has room, else 503 with what is wrong."""
        problems = await readiness.problems()
        if problems:
            return JSONResponse({"status": "not ready", "problems": problems}, status_code=503)
        return JSONResponse({"status": "ready"})

    return routes


class _Readiness:
    """Looks in a thread of its own, since those of other requests may all be taken; and once for many who ask."""

    def __init__(self, context: ServerContext) -> None:
        self._context = context
        self._one_at_a_time = asyncio.Lock()
        self._thread = CapacityLimiter(1)
        self._found: list[str] = []
        self._at = float("-inf")

    async def problems(self) -> list[str]:
        async with self._one_at_a_time:
            if time.monotonic() - self._at >= HOLDS_FOR:
                self._found = await to_thread.run_sync(_problems, self._context, limiter=self._thread)
                self._at = time.monotonic()
            return self._found


def _problems(context: ServerContext) -> list[str]:
    problems = []
    if not context.scheduler.running:
        problems.append("the scheduler is stopped")
    if not _database_answers(context):
        problems.append("the database does not answer")
    if not _has_room(context.crews.settings.data_dir):
        problems.append("the disk of the data folder is full")
    return problems


def _has_room(folder: Path) -> bool:
    """A full disk shows in nothing that is only read, and yet nothing can be recorded, so nothing is done."""
    try:
        return shutil.disk_usage(folder).free >= LEAST_ROOM
    except OSError:
        return False


def _database_answers(context: ServerContext) -> bool:
    try:
        with reading(context.crews.engine).connect() as connection:
            connection.execute(text("SELECT count(*) FROM runs WHERE id = 0"))
    except SQLAlchemyError as problem:
        log.warning("the database does not answer", error=str(getattr(problem, "orig", None) or problem))
        return False
    return True
