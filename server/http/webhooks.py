"""Bitbucket's webhooks: a signed "look now". What happened is asked of Bitbucket, never taken from the body.

The signature covers the body alone, so whoever has seen a delivery can send it again under another name. A status says
when it changed: an old one is refused, and one with a time that comes again is known by its body too. What says no time
(no recorded status lacks one) is known by Bitbucket's name for the delivery only.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

import structlog
from fastapi import APIRouter, Header, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError

from opscrew.settings import BitbucketSettings
from opscrew.store.deliveries import forget_delivery, hashed, note_delivery
from server.context import ServerContext
from tools.bitbucket.webhook import PipelineEvent, parse, signature_is_valid

log = structlog.get_logger(__name__)

SOURCE, CREW = "bitbucket", "ci_watch"
LONGEST_QUEUE = 1000
"""Announced repositories not yet looked at. Past this a crew is stuck; polling finds the rest later."""

OLDEST = timedelta(hours=1)
"""Bitbucket sends again at once or not at all, and what is older than this was found by polling long ago."""
KNOWN_FOR = timedelta(days=2)


def router(context: ServerContext) -> APIRouter:
    routes = APIRouter()

    def answer(status: int, outcome: str, detail: str) -> JSONResponse:
        context.crews.metrics.webhooks.labels(SOURCE, outcome).inc()
        return JSONResponse({"status": outcome, "detail": detail}, status_code=status)

    @routes.post("/webhooks/bitbucket")
    async def bitbucket(
        request: Request,
        x_hub_signature: str = Header(default=""),
        x_event_key: str = Header(default=""),
        x_request_uuid: str = Header(default=""),
    ) -> JSONResponse:
        """202 when it leads or has led to a look, 200 when it is of no interest, 400, 401 or 403 when refused."""
        part = context.crews.settings.bitbucket
        if part is None or part.webhook_secret is None:
            return answer(403, "refused", "no webhook secret is set: CREW_BITBUCKET__WEBHOOK_SECRET")
        body = await request.body()
        if not signature_is_valid(part.webhook_secret.get_secret_value().encode(), body, x_hub_signature):
            log.warning("webhook refused: the signature is missing or wrong")
            return answer(401, "refused", "the signature is missing or wrong")
        event = parse(x_event_key, body)
        if event is None or not _is_ours(event, part):
            return answer(200, "ignored", "nothing to look at")
        if _is_old(event, context.crews.clock()):
            log.warning("webhook refused: what it tells of happened long ago", at=str(event.at))
            return answer(400, "refused", f"it tells of {event.at}, and is refused after {OLDEST}")
        names = [hashed(x_request_uuid)] if x_request_uuid else []
        names += [hashed(body)] if event.at is not None else []
        return answer(*await run_in_threadpool(_take, context, event, names))

    return routes


def _take(context: ServerContext, event: PipelineEvent, names: Collection[str]) -> tuple[int, str, str]:
    """Status, outcome and detail."""
    repository = event.repository.partition("/")[2]
    crews = context.crews
    if crews.woken_by.qsize() >= LONGEST_QUEUE:
        return 503, "refused", "too many repositories are waiting already"
    try:
        if not note_delivery(crews.engine, SOURCE, names, crews.clock(), KNOWN_FOR):
            return 202, "duplicate", "it has come before"
        crews.woken_by.put(repository)
        if not context.scheduler.wake(CREW):
            forget_delivery(crews.engine, SOURCE, names)
            return 503, "refused", f"{CREW} is not running"
    except SQLAlchemyError:
        log.warning("webhook refused: the database does not answer")
        return 503, "refused", "the database does not answer"
    return 202, "accepted", repository


def _is_old(event: PipelineEvent, now: datetime) -> bool:
    return event.at is not None and now - event.at > OLDEST


def _is_ours(event: PipelineEvent, part: BitbucketSettings) -> bool:
    """A push starts pipelines that have not failed yet; only a pipeline's end is worth a look at once."""
    workspace = event.repository.partition("/")[0]
    return workspace == part.workspace and event.state not in ("INPROGRESS", "PUSHED")
