"""Bitbucket's webhooks: a signed "look now". What happened is asked of Bitbucket, never taken from the body."""

from __future__ import annotations

import structlog
from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse

from opscrew.settings import BitbucketSettings
from server.context import ServerContext
from tools.bitbucket.webhook import PipelineEvent, parse, signature_is_valid

log = structlog.get_logger(__name__)

CREW = "ci_watch"
LONGEST_QUEUE = 1000
"""Announced repositories not yet looked at. Past this a crew is stuck; polling finds the rest later."""


def router(context: ServerContext) -> APIRouter:
    routes = APIRouter()

    def answer(status: int, outcome: str, detail: str) -> JSONResponse:
        context.crews.metrics.webhooks.labels("bitbucket", outcome).inc()
        return JSONResponse({"status": outcome, "detail": detail}, status_code=status)

    @routes.post("/webhooks/bitbucket")
    async def bitbucket(
        request: Request, x_hub_signature: str = Header(default=""), x_event_key: str = Header(default="")
    ) -> JSONResponse:
        """202 when it leads to a look, 200 when it is of no interest here, 401 or 403 when refused."""
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
        if context.crews.woken_by.qsize() >= LONGEST_QUEUE:
            return answer(503, "refused", "too many repositories are waiting already")
        context.crews.woken_by.put(event.repository.partition("/")[2])
        if not context.scheduler.wake(CREW):
            return answer(503, "refused", f"{CREW} is not running")
        return answer(202, "accepted", event.repository.partition("/")[2])

    return routes


def _is_ours(event: PipelineEvent, part: BitbucketSettings) -> bool:
    """A push starts pipelines that have not failed yet; only a pipeline's end is worth a look at once."""
    workspace = event.repository.partition("/")[0]
    return workspace == part.workspace and event.state not in ("INPROGRESS", "PUSHED")
