"""Execution algorithm service over HTTP: plan, start, steer, stop."""

import asyncio
from datetime import date
from typing import Any

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from bestex.api import answers, reads
from bestex.api.access import Access, Desk
from bestex.api.answers import Cursor, Limit, answer, page
from bestex.api.idempotency import Key, once
from bestex.api.kept import kept
from bestex.api.market_now import market_now
from bestex.api.models import AlgorithmBody, ExecutionBody, KillBody, ModifyExecutionBody, ReasonBody
from bestex.api.reads import After, order_row
from bestex.api.strict_route import StrictRoute
from bestex.api.summaries.graded import graded
from bestex.api.summaries.performance import AlgorithmSummary, algorithm_summaries
from bestex.domain.errors import Conflict, NotFound, ServiceUnavailable
from bestex.domain.ids import InstrumentId, ParentOrderId
from bestex.domain.orders import Algorithm, ExecutionInstructions, OrderType, ParentOrder, Side
from bestex.messages.execution import (
    CancelExecution,
    ExecutionParameters,
    ExecutionPlan,
    ExecutionRequest,
    KillExecutions,
    ModifyExecution,
    PauseExecution,
    PlanExecution,
    PriceLimits,
    RearmExecutions,
    ResumeExecution,
    SetAlgorithmEnabled,
    WorkingConstraints,
)
from bestex.messages.orders import CreateOrder
from bestex.messages.records import (
    KILL_SWITCH,
    ChildOrderRow,
    DeskStateRow,
    ExecutionAlgorithmRow,
    ExecutionPlanRow,
    ExecutionStatusRow,
    FillRow,
)


class KilledScope(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing of this scope is sent until the same scope is re-armed. `scope_value` is None for `all`."""

    scope: str
    scope_value: str | None
    actor: str
    reason: str
    time_ns: int


class KillState(msgspec.Struct, frozen=True, kw_only=True):
    killed: tuple[KilledScope, ...]  # empty: everything may be sent


_PAUSES_SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 1.0, 2.0)

router = APIRouter(prefix="/execution", tags=["execution algorithms"], route_class=StrictRoute)


def _request(access: Access, body: ExecutionBody) -> ExecutionRequest:
    parameters = body.parameters
    return ExecutionRequest(
        order_id=body.order_id,
        instrument_id=body.instrument_id,
        side=body.side,
        quantity=body.quantity,
        algorithm=body.algorithm,
        execution_style=body.execution_style,
        parameters=ExecutionParameters(**parameters.model_dump()),
        constraints=WorkingConstraints(
            max_order_size=body.constraints.max_order_size,
            min_order_size=body.constraints.min_order_size,
            no_trade_zones=tuple(body.constraints.no_trade_zones),
            venue_preferences=tuple(body.constraints.venue_preferences),
            price_limits=PriceLimits(**body.constraints.price_limits.model_dump()),
        ),
        start_time_ns=body.start_time or access.clock.now_ns(),
        target_completion_time_ns=body.target_completion_time,
    )


@router.post("/plan", responses=answers.schema(ExecutionPlan), summary="A dry plan: nothing is sent")
async def plan(access: Desk, body: ExecutionBody) -> Response:
    payload = PlanExecution(request=_request(access, body), market=market_now(access, body.instrument_id))
    return answer(await access.requests.ask("algorithm", payload, order_id=body.order_id))


@router.post("/start", responses=answers.schema(ExecutionPlan), summary="Start working an order")
async def start(access: Desk, request: Request, body: ExecutionBody, key: Key = None) -> Response:
    """Creates the parent order with this algorithm and starts it. Idempotent on `order_id`."""
    before = await access.store.get(ExecutionPlanRow, body.order_id)
    if before is None:
        limit = body.constraints.price_limits.max if body.side is Side.BUY else body.constraints.price_limits.min
        parameters: dict[str, object] = {
            name: value
            for name, value in body.parameters.model_dump(exclude={"custom_parameters"}).items()
            if value is not None
        }
        order = ParentOrder(
            order_id=ParentOrderId(body.order_id),
            instrument_id=InstrumentId(body.instrument_id),
            side=body.side,
            quantity=body.quantity,
            order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
            price=limit,
            instructions=ExecutionInstructions(
                algorithm=body.algorithm,
                execution_style=body.execution_style,
                start_time_ns=body.start_time,
                end_time_ns=body.target_completion_time,
                max_participation_rate=body.parameters.participation_rate
                if body.algorithm is not Algorithm.PARTICIPATION_RATE
                else None,
                parameters={**parameters, **body.parameters.custom_parameters} or None,
            ),
        )
        payload = CreateOrder(order=order, actor=access.actor, market=market_now(access, body.instrument_id))

        async def work(idempotency: Any) -> Any:
            await access.requests.ask("order-desk", payload, order_id=body.order_id, idempotency=idempotency)
            return (await _plan_soon(access, body.order_id)).execution_plan

        return await once(access, request, key, work)
    order_now = await order_row(access, body.order_id)
    if (order_now.instrument_id, order_now.side, order_now.quantity) != (body.instrument_id, body.side, body.quantity):
        raise Conflict(
            f"order_id {body.order_id} is already being worked with other terms", field="order_id", value=body.order_id
        )
    return answer(before.execution_plan)


async def _plan_row(access: Access, order_id: str) -> ExecutionPlanRow:
    row = await access.store.get(ExecutionPlanRow, order_id)
    if row is None:
        raise NotFound(f"no plan for order {order_id}", field="order_id", value=order_id)
    return row


async def _plan_soon(access: Access, order_id: str) -> ExecutionPlanRow:
    """The plan of an order just sent: at once in one process, a few messages later where the services are apart."""
    for pause in _PAUSES_SECONDS:
        if (row := await access.store.get(ExecutionPlanRow, order_id)) is not None:
            return row
        await asyncio.sleep(pause)
    raise ServiceUnavailable(
        f"order {order_id} is taken, and not planned yet; GET /execution/{order_id}/plan will show it",
        field="order_id",
        value=order_id,
        expected="a running algorithm service",
    )


@router.get("/{order_id}/plan", summary="The plan now in force")
async def plan_now(access: Desk, order_id: str) -> Response:
    return answer((await _plan_row(access, order_id)).execution_plan)


@router.get(
    "/{order_id}/status", responses=answers.schema(ExecutionStatusRow), summary="State, filled, schedule, children"
)
async def status(access: Desk, order_id: str) -> Response:
    row = await reads.execution_status(access, order_id)
    live = await reads.live_children(access, order_id)
    return answer({**msgspec.structs.asdict(row), "live_children": live})


@router.post("/{order_id}/modify", responses=answers.schema(ExecutionPlan), summary="A new plan for what remains")
async def modify(access: Desk, order_id: str, body: ModifyExecutionBody) -> Response:
    order = await order_row(access, order_id)
    payload = ModifyExecution(
        order_id=order_id,
        actor=access.actor,
        market=access.market.snapshot(order.instrument_id),
        quantity=body.quantity,
        price_limit=body.price_limit,
        end_time_ns=body.end_time,
        participation_rate=body.participation_rate,
        urgency=body.urgency,
        reason=body.reason,
    )
    return answer(await access.requests.ask("algorithm", payload, order_id=order_id))


@router.post("/{order_id}/pause", summary="Cancel live children and send nothing until resumed")
async def pause(access: Desk, order_id: str, body: ReasonBody | None = None) -> Response:
    payload = PauseExecution(order_id=order_id, actor=access.actor, reason=body.reason if body else None)
    return answer(await access.requests.ask("algorithm", payload, order_id=order_id))


@router.post("/{order_id}/resume", summary="Go on, without a burst")
async def resume(access: Desk, order_id: str, body: ReasonBody | None = None) -> Response:
    order = await order_row(access, order_id)
    payload = ResumeExecution(
        order_id=order_id,
        actor=access.actor,
        market=access.market.snapshot(order.instrument_id),
        reason=body.reason if body else None,
    )
    return answer(await access.requests.ask("algorithm", payload, order_id=order_id))


@router.post("/{order_id}/cancel", summary="Bring the children home and stop")
async def cancel(access: Desk, order_id: str, body: ReasonBody | None = None) -> Response:
    payload = CancelExecution(order_id=order_id, actor=access.actor, reason=body.reason if body else None)
    return answer(await access.requests.ask("algorithm", payload, order_id=order_id))


@router.post("/kill", summary="Cancel every live child of a scope and block new ones")
async def kill(access: Desk, body: KillBody) -> Response:
    payload = KillExecutions(scope=body.scope, scope_value=body.scope_value, actor=access.actor, reason=body.reason)
    return answer(await access.requests.ask("algorithm", payload, order_id="desk"))


@router.get("/kill", responses=answers.schema(KillState), summary="What is killed: by whom, since when, why")
async def kill_state(access: Desk) -> Response:
    row = await access.store.get(DeskStateRow, KILL_SWITCH)
    return answer(KillState(killed=()) if row is None else msgspec.convert(row.value, KillState))


@router.post("/rearm", summary="Allow orders of a killed scope again")
async def rearm(access: Desk, body: KillBody) -> Response:
    payload = RearmExecutions(scope=body.scope, scope_value=body.scope_value, actor=access.actor, reason=body.reason)
    return answer(await access.requests.ask("algorithm", payload, order_id="desk"))


@router.get("/orders", responses=answers.page_schema(ExecutionStatusRow), summary="Orders being worked, or worked")
async def listing(access: Desk, state: str | None = None, limit: Limit = 100, cursor: Cursor = None) -> Response:
    where: dict[str, object] = {} if state is None else {"state": tuple(state.split(","))}
    found = await access.store.find(
        ExecutionStatusRow, where=where, order_by="-updated_time_ns", limit=limit, cursor=cursor
    )
    return page(found.rows, found.next_cursor)


@router.get("/{order_id}/children", responses=answers.page_schema(ChildOrderRow), summary="Its child orders")
async def children(access: Desk, order_id: str, limit: Limit = 1000, cursor: Cursor = None) -> Response:
    found = await reads.children(access, order_id, limit=limit, cursor=cursor)
    return page(found.rows, found.next_cursor)


@router.get("/{order_id}/fills", responses=answers.page_schema(FillRow), summary="Its fills, oldest first")
async def fills(access: Desk, order_id: str, limit: Limit = 1000, cursor: Cursor = None) -> Response:
    found = await reads.fills(access, order_id, limit=limit, cursor=cursor)
    return page(found.rows, found.next_cursor)


@router.get("/{order_id}/timeline", summary="What the algorithm service said about it, in order")
async def timeline(
    access: Desk, order_id: str, after_position: After = 0, limit: Limit = 1000, cursor: Cursor = None
) -> Response:
    found = await reads.timeline(
        access, order_id, after_position=after_position, limit=limit, cursor=cursor, source="algorithm"
    )
    return page(found.rows, found.next_cursor)


@router.get("/algorithms", responses=answers.page_schema(ExecutionAlgorithmRow), summary="The catalogue")
async def algorithms(access: Desk, request: Request, limit: Limit = 100, cursor: Cursor = None) -> Response:
    async def work() -> Response:
        found = await reads.algorithms(access, limit=limit, cursor=cursor)
        return page(found.rows, found.next_cursor)

    return await kept(access, request, ExecutionAlgorithmRow, work)


@router.get(
    "/algorithms/{name}", responses=answers.schema(ExecutionAlgorithmRow), summary="One, with its parameters' schema"
)
async def algorithm(access: Desk, name: str) -> Response:
    row = await access.store.get(ExecutionAlgorithmRow, name)
    if row is None:
        raise NotFound(f"no algorithm {name!r}", field="name", value=name)
    return answer(row)


@router.put(
    "/algorithms/{name}",
    responses=answers.schema(ExecutionAlgorithmRow),
    summary="Offer an algorithm to new orders, or no longer",
)
async def set_algorithm(access: Desk, name: str, body: AlgorithmBody) -> Response:
    """Orders that are being worked go on; new ones for a disabled algorithm end as REJECTED with the reason."""
    payload = SetAlgorithmEnabled(algorithm_name=name, enabled=body.enabled, actor=access.actor, reason=body.reason)
    return answer(await access.requests.ask("algorithm", payload, order_id="desk"))


@router.get(
    "/performance",
    responses=answers.page_schema(AlgorithmSummary),
    summary="Per algorithm: cost against benchmarks, tracking error, completion, reliability",
)
async def performance(access: Desk, start_date: date | None = None, end_date: date | None = None) -> Response:
    """Over the latest 2,000 graded executions. Below 20 orders a mean is null, and its note says how many there are."""
    rows = await graded(access, start_date=start_date, end_date=end_date)
    catalogue = (await access.store.find(ExecutionAlgorithmRow)).rows
    return page(algorithm_summaries(rows, catalogue))
