"""Webhooks of Alertmanager and Grafana: checked by token, read, stored, and only then acknowledged.

Both send again what was not acknowledged with a 2xx, and the crew also polls, so that nothing rests on one delivery.

Neither names its deliveries or says when it sent them: an alert that goes on is told again in the very same words. So
the same body counts once within a minute, and a body that tells of nothing but ends of long ago is refused.
"""

from __future__ import annotations

import time
from datetime import timedelta

import structlog
from fastapi import APIRouter, Header, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError

from opscrew.alerts.deliveries import record_accepted, record_refused
from opscrew.alerts.intake import MalformedWebhookError, read_webhook
from opscrew.alerts.store import AlertStore
from opscrew.store.deliveries import forget_delivery, hashed, note_delivery
from server.context import ServerContext
from server.http.tokens import shows_token

log = structlog.get_logger(__name__)

CREW = "alert_triage"
SOURCES = ("alertmanager", "grafana")
SAME_WITHIN = timedelta(minutes=1)
"""A sender that gave up waiting tries again within seconds; alerts that go on are told again after minutes or hours."""
OLDEST = timedelta(days=1)
"""Senders give up within minutes."""
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

    @routes.api_route("/webhooks/{source}", methods=["POST", "PUT"])  # Grafana offers both
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
    now = crews.clock()
    grafana = crews.settings.grafana
    try:
        delivery = read_webhook(source, body, now, str(grafana.url) if grafana is not None else "")
    except MalformedWebhookError as problem:
        log.warning("webhook refused", source=source, reason=str(problem))
        record_refused(crews.engine, source, str(problem), now)
        wake()  # the crew tells it as a finding
        return 400, "malformed", str(problem)
    alerts = delivery.alerts
    if alerts and all(alert.ends_at and now - alert.ends_at > OLDEST for alert in alerts):
        log.warning("webhook refused: what it tells of ended long ago", source=source)
        return 400, "refused", f"all of it ended more than {OLDEST} ago"
    is_first = note_delivery(crews.engine, source, [hashed(body)], now, SAME_WITHIN)
    try:
        # Also where it came before: an end may have come between, and then it is no second delivery but news.
        taken = AlertStore(crews.engine, crews.clock).take(alerts)
        if not is_first and not taken.changed:
            return 202, "duplicate", "it has come before"
        record_accepted(crews.engine, source, now)
    except SQLAlchemyError:
        forget_delivery(crews.engine, source, [hashed(body)])  # or it would be refused when it is sent again
        raise
    if delivery.odd:
        odd = f"{len(delivery.odd)} of its {len(delivery.odd) + len(alerts)} alerts: {delivery.odd[0]}"
        log.warning("alerts of a webhook left out", source=source, reason=odd)
        record_refused(crews.engine, source, odd, now)
    if taken.changed or delivery.odd:
        wake()
    return 202, "accepted", f"{len(alerts)} alerts" + (f"; {len(delivery.odd)} cannot be read" if delivery.odd else "")
