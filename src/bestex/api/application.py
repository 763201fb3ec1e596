"""The HTTP application: every route under /api/v1, the dashboard under /."""

from pathlib import Path
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

import bestex
from bestex.api import answers, problems
from bestex.api.access import Access
from bestex.api.admission import Admission, permitted
from bestex.api.metering import Guarding, Metering, exposition
from bestex.api.routes import (
    desk,
    execution,
    graphql,
    market,
    monitoring,
    orders,
    quality,
    reference,
    routing,
    strategy,
)

# Which process answers which routes, where the services are apart. Every process tells about itself under /desk.
_ROUTERS = {
    "strategy": (strategy.router,),
    "market": (orders.router, routing.router, reference.router, market.router),
    "algorithm": (execution.router,),
    "monitoring": (monitoring.router, graphql.router),
    "quality": (quality.router,),
}


def target_of(path: str) -> str:
    """The target that answers a path under /api/v1 where the services are apart."""
    for target, routers in _ROUTERS.items():
        if any(f"{path}/".startswith(f"/api/v1{router.prefix}/") for router in routers if router.prefix):
            return target
    return "market"


def create_application(access: Access, dashboard: Path | None = None, target: str = "all") -> FastAPI:
    """The application over the given ports.

    Args:
        dashboard: folder of the built dashboard; None or a missing folder serves the API alone.
        target: whose routes to serve, see `bestex serve --target`.
    """
    # The documents of a guarded desk are in the repository, not on the desk.
    is_open = access is None or not access.is_guarded
    app = FastAPI(
        title="bestex",
        version=bestex.__version__,
        docs_url="/docs" if is_open else None,
        openapi_url="/openapi.json" if is_open else None,
        redoc_url=None,
    )
    app.state.access = access
    problems.install(app)
    routers = [router for name, own in _ROUTERS.items() if target in ("all", name) for router in own]
    for router in (*routers, desk.router):
        app.include_router(router, prefix="/api/v1", dependencies=[Depends(permitted)])
    app.include_router(desk.probes)

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(exposition(), media_type="text/plain; version=0.0.4")

    if dashboard is not None and (dashboard / "index.html").exists():
        app.mount("/", StaticFiles(directory=dashboard, html=True), name="dashboard")
    app.add_middleware(Guarding)
    app.add_middleware(Admission)
    # The document of the API is made without a desk.
    app.add_middleware(Metering, tracer=getattr(access, "tracer", None))
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, routes=app.routes, description=bestex.__doc__)
        document["components"]["schemas"] |= answers.components()
        app.openapi_schema = document
    return app.openapi_schema
