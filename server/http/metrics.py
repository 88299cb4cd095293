"""/metrics for Prometheus and everything that reads its format."""

from __future__ import annotations

import structlog
from fastapi import APIRouter, Response
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from opscrew.actions.counting import count_actions
from server.context import ServerContext
from server.overview import open_by_severity

log = structlog.get_logger(__name__)


def router(context: ServerContext) -> APIRouter:
    routes = APIRouter()

    @routes.get("/metrics")
    def metrics() -> Response:
        """Counters as they stand; findings and actions are counted at this moment, since commands change them too."""
        try:
            for severity, count in open_by_severity(context.crews).items():
                context.crews.metrics.findings.labels(severity).set(count)
            context.crews.metrics.actions.clear()  # a state that nothing is in any more must not keep its old number
            for (kind, state), count in count_actions(context.crews.engine).items():
                context.crews.metrics.actions.labels(kind, state).set(count)
        except SQLAlchemyError:
            # The counters are still worth having, above all while the database is in trouble.
            log.warning("findings and actions could not be counted")
        return Response(generate_latest(context.crews.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return routes
