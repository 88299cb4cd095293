"""Puts the HTTP application together. Every group of routes is listed in ``ROUTERS``."""

from __future__ import annotations

from fastapi import FastAPI

from server.context import ServerContext
from server.http import alert_webhooks, metrics, probes, status, webhooks
from server.http.guard import Guard, Rules
from server.http.hosts import expected_hosts

ROUTERS = (probes.router, metrics.router, status.router, webhooks.router, alert_webhooks.router)
"""Functions that take the ServerContext and give an APIRouter."""
PROBES = ("/healthz", "/readyz")


def create_app(context: ServerContext) -> FastAPI:
    """The application, guard included. No generated API pages: they would tell strangers what there is."""
    application = FastAPI(title="crew", docs_url=None, redoc_url=None, openapi_url=None)
    for router in ROUTERS:
        application.include_router(router(context))
    http = context.crews.settings.http
    rules = Rules(
        hosts=expected_hosts(http),
        token=http.token.get_secret_value() if http.token else "",
        without_token=(*PROBES, "/webhooks/"),
        any_host=PROBES,
        probes=PROBES,
        large_bodies=_alert_webhooks(context),
    )
    application.add_middleware(Guard, rules=rules)
    return application


def _alert_webhooks(context: ServerContext) -> dict[str, str]:
    """A storm may arrive as one delivery."""
    token = context.crews.settings.alerts.webhook_token
    return {f"/webhooks/{source}": token.get_secret_value() for source in alert_webhooks.SOURCES} if token else {}
