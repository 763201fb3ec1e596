"""The desk about itself: its time, its services, whether it is well."""

from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

import bestex
from bestex.api.access import Desk
from bestex.api.answers import answer

router = APIRouter(tags=["desk"])
probes = APIRouter(tags=["desk"])


@router.get("/desk", summary="Time, market, services")
async def desk(access: Desk) -> Response:
    return answer(
        {
            "desk_time_ns": access.clock.now_ns(),
            "wall_time_ns": access.wall.now_ns(),
            "version": bestex.__version__,
            "actor": access.actor,
            "services": [{"name": item.name, "status": item.status, "detail": item.detail} for item in access.health()],
            **access.about(),
        }
    )


@probes.get("/healthz", summary="The process answers")
async def healthz() -> Response:
    return PlainTextResponse("ok")


@probes.get("/readyz", summary="Every service takes work")
async def readyz(access: Desk) -> Response:
    services = access.health()
    ready = all(item.status == "ok" for item in services)
    return answer(
        {"ready": ready, "services": {item.name: {"status": item.status, "detail": item.detail} for item in services}},
        status=200 if ready else 503,
    )


@probes.get("/healthz/{service}", summary="One service")
async def service_health(access: Desk, service: str) -> Response:
    found = next((item for item in access.health() if item.name == service), None)
    if found is None:
        return answer({"status": "unknown", "detail": f"no service {service!r}"}, status=404)
    return answer({"status": found.status, "detail": found.detail}, status=200 if found.status == "ok" else 503)
