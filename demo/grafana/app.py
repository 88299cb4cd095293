"""The HTTP API of Grafana that programs use to read: search, dashboards, data sources, annotations, health.

Questions to a data source are passed on to a real metrics store where one is given, so that answers are real.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import FastAPI, HTTPException, Request, Response

TOKEN = "demo-grafana-token"
VERSION = "12.0.0"
SOURCE = "metrics"


@dataclass
class GrafanaWorld:
    """``metrics_url`` is a Prometheus-compatible store. ``broken_sources`` are uids whose health check fails."""

    metrics_url: str = ""
    token: str = TOKEN
    broken_sources: set[str] = field(default_factory=set)
    dashboards: dict[str, dict[str, Any]] = field(default_factory=lambda: {"shop-overview": _overview()})
    annotations: list[dict[str, Any]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    @property
    def source(self) -> dict[str, Any]:
        return {
            "id": 1,
            "uid": SOURCE,
            "orgId": 1,
            "name": "Metrics",
            "type": "prometheus",
            "access": "proxy",
            "url": self.metrics_url,
            "isDefault": True,
            "jsonData": {},
        }


def create_app(world: GrafanaWorld) -> FastAPI:
    app = FastAPI(openapi_url=None)

    @app.middleware("http")
    async def gate(request: Request, call_next: Any) -> Response:
        world.requests.append(f"{request.method} {request.url.path}")
        if request.url.path != "/api/health" and request.headers.get("authorization") != f"Bearer {world.token}":
            return Response('{"message":"Unauthorized"}', 401, media_type="application/json")
        return await call_next(request)

    _add_basics(app)
    _add_dashboards(app, world)
    _add_sources(app, world)
    return app


def _add_basics(app: FastAPI) -> None:
    @app.get("/api/health")
    def health() -> dict[str, str]:
        return {"database": "ok", "version": VERSION, "commit": "demo"}

    @app.get("/api/org")
    def org() -> dict[str, Any]:
        return {"id": 1, "name": "Main Org."}

    @app.get("/api/frontend/settings")
    def settings() -> dict[str, Any]:
        return {"buildInfo": {"version": VERSION, "edition": "Open Source"}, "featureToggles": {}}


def _add_dashboards(app: FastAPI, world: GrafanaWorld) -> None:
    @app.get("/api/search")
    def search(query: str = "") -> list[dict[str, Any]]:
        return [
            {
                "id": number,
                "uid": uid,
                "title": board["title"],
                "uri": f"db/{uid}",
                "url": f"/d/{uid}/{uid}",
                "type": "dash-db",
                "tags": board["tags"],
                "isStarred": False,
            }
            for number, (uid, board) in enumerate(world.dashboards.items(), start=1)
            if query.lower() in board["title"].lower()
        ]

    @app.get("/api/dashboards/uid/{uid}")
    def dashboard(uid: str) -> dict[str, Any]:
        if uid not in world.dashboards:
            raise HTTPException(404, "Dashboard not found")
        return {"dashboard": world.dashboards[uid], "meta": {"slug": uid, "url": f"/d/{uid}/{uid}", "version": 3}}

    @app.get("/api/annotations")
    def annotations(request: Request) -> list[dict[str, Any]]:
        begin = int(request.query_params.get("from", 0))
        end = int(request.query_params.get("to", 2**62))
        return [one for one in world.annotations if begin <= one["time"] <= end]


def _add_sources(app: FastAPI, world: GrafanaWorld) -> None:
    @app.get("/api/datasources")
    def sources() -> list[dict[str, Any]]:
        return [world.source]

    @app.get("/api/datasources/uid/{uid}")
    def source(uid: str) -> dict[str, Any]:
        if uid != SOURCE:
            raise HTTPException(404, "Data source not found")
        return world.source

    @app.get("/api/datasources/uid/{uid}/health")
    def source_health(uid: str) -> dict[str, str]:
        if uid in world.broken_sources:
            raise HTTPException(400, "connection refused")
        return {"status": "OK", "message": "Successfully queried the Prometheus API."}

    @app.api_route("/api/datasources/uid/{uid}/resources/{path:path}", methods=["GET", "POST"])
    @app.api_route("/api/datasources/proxy/uid/{uid}/{path:path}", methods=["GET", "POST"])
    async def passed_on(uid: str, path: str, request: Request) -> Response:
        if uid != SOURCE or not world.metrics_url:
            raise HTTPException(502, "data source is not reachable")
        async with httpx.AsyncClient(base_url=world.metrics_url, timeout=10, trust_env=False) as http:
            answer = await http.request(
                request.method,
                f"/{path}",
                params=dict(request.query_params),
                content=await request.body(),
                headers={"content-type": request.headers.get("content-type", "application/x-www-form-urlencoded")},
            )
        return Response(answer.content, answer.status_code, media_type=answer.headers.get("content-type"))


def _overview() -> dict[str, Any]:
    queries = {"Requests": "sum(rate(http_requests_total[5m]))", "Errors": "sum(rate(http_errors_total[5m]))"}
    panels = [
        {
            "id": number,
            "type": "timeseries",
            "title": title,
            "datasource": {"type": "prometheus", "uid": SOURCE},
            "targets": [{"refId": "A", "expr": query}],
        }
        for number, (title, query) in enumerate(queries.items(), start=1)
    ]
    return {
        "uid": "shop-overview",
        "title": "Shop overview",
        "description": "What customers notice.",
        "tags": ["shop"],
        "schemaVersion": 41,
        "panels": panels,
        "templating": {"list": []},
        "time": {"from": "now-6h", "to": "now"},
    }
