"""Webhooks of Alertmanager and Grafana: checked by token, read, stored, and only then acknowledged.

Both send again what was not acknowledged with a 2xx, and the crew also polls, so that nothing rests on one delivery.
"""

from __future__ import annotations

import time

import structlog
from fastapi import APIRouter, Header, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from opscrew.alerts.deliveries import record_accepted, record_refused
from opscrew.alerts.intake import MalformedWebhookError, read_webhook
from opscrew.alerts.store import AlertStore
from server.context import ServerContext
from server.http.tokens import shows_token

log = structlog.get_logger(__name__)

CREW = "alert_triage"
SOURCES = ("alertmanager", "grafana")
WAKE_EVERY = 10.0
"""Seconds. In a storm each delivery brings news, and a crew that ran for every one would only stand in their way."""


class _Waker:
    """Wakes the crew, at most once in a while. The next scheduled run finds what came in between."""

    def __init__(self, context: ServerContext) -> None:
        self._context = context
        self._last = float("-inf")

    def __call__(self) -> None:
        now = time.monotonic()
        if now - self._last >= WAKE_EVERY:
            self._last = now
            self._context.scheduler.wake(CREW)


def router(context: ServerContext) -> APIRouter:
    routes = APIRouter()
    wake = _Waker(context)

    def answer(source: str, status: int, outcome: str, detail: str) -> JSONResponse:
        context.crews.metrics.webhooks.labels(source, outcome).inc()
        return JSONResponse({"status": outcome, "detail": detail}, status_code=status)

    @routes.post("/webhooks/{source}")
    async def alerts(source: str, request: Request, authorization: str = Header(default="")) -> JSONResponse:
        """202 when it is stored, 400 when it cannot be read, 401 or 403 when refused, 404 for another source."""
        if source not in SOURCES:
            return JSONResponse({"detail": "Not Found"}, status_code=404)
        token = context.crews.settings.alerts.webhook_token
        if token is None:
            return answer(source, 403, "refused", "no token is set: CREW_ALERTS__WEBHOOK_TOKEN")
        if not shows_token(authorization, token.get_secret_value()):
            log.warning("webhook refused: the token is missing or wrong", source=source)
            return answer(source, 401, "refused", "the token is missing or wrong")
        body = await request.body()
        return answer(source, *await run_in_threadpool(_take, context, wake, source, body))

    return routes


def _take(context: ServerContext, wake: _Waker, source: str, body: bytes) -> tuple[int, str, str]:
    """Status, outcome and detail."""
    crews = context.crews
    try:
        delivery = read_webhook(source, body)
    except MalformedWebhookError as problem:
        log.warning("webhook refused", source=source, reason=str(problem))
        record_refused(crews.engine, source, str(problem), crews.clock())
        wake()  # the crew tells it as a finding
        return 400, "malformed", str(problem)
    taken = AlertStore(crews.engine, crews.clock).take(delivery.alerts)
    record_accepted(crews.engine, source, crews.clock())
    if taken.new or taken.resolved:
        wake()
    return 202, "accepted", f"{len(delivery.alerts)} alerts"
