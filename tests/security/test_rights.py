"""Every role at every route: the table says who may, and no route is without a line in it."""

import re
from typing import Any

import pytest
from fastapi import FastAPI

from bestex.api.application import create_application
from bestex.api.identity.identities import LOCAL, Identity, Role
from bestex.api.identity.permissions import RIGHT_OF, RIGHTS, checked
from bestex.domain.errors import Forbidden
from tests.security.conftest import Guarded, order

V1 = "/api/v1"


def endpoints(application: FastAPI) -> dict[str, tuple[str, str]]:
    """Operation -> method and path, of every route under /api/v1."""
    found: dict[str, tuple[str, str]] = {}

    def walk(routes: Any, prefix: str) -> None:
        for route in routes:
            inner = getattr(route, "original_router", None) or getattr(route, "router", None)
            if inner is not None:
                walk(inner.routes, prefix + (getattr(route, "prefix", "") or ""))
                continue
            endpoint = getattr(route, "endpoint", None)
            if endpoint is not None and endpoint.__module__.startswith("bestex.api.routes."):
                name = f"{endpoint.__module__.rpartition('.')[2]}.{endpoint.__name__}"
                method = min(getattr(route, "methods", None) or {"WEBSOCKET"})
                assert found.setdefault(name, (method, route.path)) == (method, route.path), f"{name} names two routes"

    walk(application.routes, "")
    return found


def test_every_route_has_one_line_in_the_table_and_every_line_a_route() -> None:
    probes = {"desk.healthz", "desk.readyz", "desk.service_health"}
    routes = set(endpoints(create_application(None))) - probes  # type: ignore[arg-type]
    assert len(routes) > 70
    assert routes == set(RIGHT_OF)
    assert sum(len(right.operations) for right in RIGHTS) == len(RIGHT_OF), "an operation stands twice"


def test_a_route_without_a_line_is_refused_to_everybody() -> None:
    with pytest.raises(Forbidden, match="nobody's rights"):
        checked(LOCAL, "orders.new_one")


def test_only_reading_is_open_to_those_who_only_read() -> None:
    reader = Identity(
        subject="r", tenant="default", roles=frozenset({Role.READ_ONLY}), credential="k", account="a", expires_ns=None
    )
    for operation, (method, _) in endpoints(create_application(None)).items():  # type: ignore[arg-type]
        if operation in RIGHT_OF and RIGHT_OF[operation].name != "read":
            with pytest.raises(Forbidden):
                checked(reader, operation)
        elif operation in RIGHT_OF:
            assert method in ("GET", "WEBSOCKET") or operation.startswith(("quality.", "graphql.")), (
                f"{operation} writes"
            )


async def test_a07_each_role_gets_what_the_table_says_at_every_writing_route(guarded: Guarded) -> None:
    """403 where the table refuses; anything else where it does not (the body is empty on purpose)."""
    wrong = []
    for tenant in ("default", "acme"):
        for role in Role:
            client = guarded.client(role, tenant)
            for operation, (method, path) in endpoints(guarded.application).items():
                if operation not in RIGHT_OF or method in ("GET", "WEBSOCKET"):
                    continue
                right = RIGHT_OF[operation]
                may = role in right.roles | right.own and not (right.is_desk_wide and tenant != "default")
                full = path if path.startswith(V1) else V1 + path
                reply = await client.request(method, re.sub(r"{\w+}", "nothing", full), content=b"")
                if (reply.status_code != 403) != may or reply.status_code >= 500:
                    wrong.append((tenant, role, operation, reply.status_code))
    assert wrong == []


async def test_a_trader_stops_own_orders_and_a_desk_head_anybody_s(guarded: Guarded) -> None:
    trader, head = guarded.client("trader"), guarded.client("desk_head")
    assert (await trader.post(f"{V1}/orders", json=order("t1"))).status_code == 201
    assert (await head.post(f"{V1}/orders", json=order("h1"))).status_code == 201
    refused = await trader.put(f"{V1}/orders/h1/cancel")
    assert refused.status_code == 403, refused.text
    assert "somebody else" in refused.json()["detail"]
    assert (await trader.post(f"{V1}/execution/h1/pause")).status_code == 403
    assert (await trader.put(f"{V1}/orders/t1/cancel")).status_code == 200
    assert (await head.put(f"{V1}/orders/h1/cancel")).status_code == 200
    assert (await head.get(f"{V1}/orders/t1")).json()["actor"] == "acme~trader"


async def test_nobody_is_asked_for_a_key_on_a_desk_without_identities(guarded: Guarded) -> None:
    assert (await guarded.holding(None).get(f"{V1}/desk")).status_code == 401
    assert (await guarded.holding(None).get("/healthz")).status_code == 200
    assert (await guarded.holding(None).get("/metrics")).status_code == 401
    assert (await guarded.client("operator").get("/metrics")).status_code == 200
    assert (await guarded.client("trader").get("/metrics")).status_code == 403
    assert (await guarded.client("operator").get("/openapi.json")).status_code == 404
