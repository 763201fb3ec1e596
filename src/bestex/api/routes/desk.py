"""The desk about itself: its time, its services, whether it is well."""

from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

import bestex
from bestex.api import answers
from bestex.api.access import Desk
from bestex.api.analytics import ClientUse
from bestex.api.answers import Cursor, Limit, answer, page
from bestex.domain.tenants import HOUSE
from bestex.messages.records import AuditRow

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


@router.get("/desk/clients", responses=answers.page_schema(ClientUse), summary="What each client does with the API")
async def clients(access: Desk) -> Response:
    """Since this process started, by client and operation. The house sees every tenant's clients."""
    analytics, limits, tenant = access.analytics, access.limits, access.identity.tenant
    known = [item for item in analytics.identities() if tenant in (HOUSE, item.tenant)]
    left = {} if limits is None else {item.credential: await limits.left(item) for item in known}
    return page([row for row in analytics.rows(left) if tenant in (HOUSE, row.tenant)])


@router.get("/desk/audit", responses=answers.page_schema(AuditRow), summary="Who asked for what, newest first")
async def audit(
    access: Desk,
    actor: str | None = None,
    operation: str | None = None,
    outcome: str | None = None,
    about_order: str | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Every request that could have changed something. The house sees every tenant's lines."""
    if access.audit is None:
        return page([])
    given = {"actor": actor, "operation": operation, "outcome": outcome, "about_order": about_order}
    where: dict[str, object] = {name: value for name, value in given.items() if value is not None}
    if access.identity.tenant != HOUSE:
        where["tenant"] = access.identity.tenant
    found = await access.audit.latest(where, limit, cursor)
    return page(found.rows, found.next_cursor)


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
