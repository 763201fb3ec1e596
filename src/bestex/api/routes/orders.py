"""The paper order desk over HTTP."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from bestex.api import answers, reads
from bestex.api.access import Access, Desk
from bestex.api.answers import Cursor, Limit, answer, page
from bestex.api.idempotency import Key, once
from bestex.api.kept import kept
from bestex.api.market_now import market_now
from bestex.api.models import AmendBody, OrderBody, ReasonBody
from bestex.api.strict_route import StrictRoute
from bestex.api.versions import OUTDATED, IfMatch, expected_version, tagged, versioned
from bestex.domain.errors import Conflict, InvalidInput, NotFound
from bestex.domain.ids import InstrumentId, ParentOrderId, VenueId
from bestex.domain.orders import ExecutionInstructions, ParentOrder
from bestex.domain.tenants import qualified
from bestex.messages.orders import AmendOrder, CancelOrder, CreateOrder
from bestex.messages.records import FillRow, ParentOrderRow, StrategySelectionRow

router = APIRouter(prefix="/orders", tags=["orders"], route_class=StrictRoute)


def parent_order(body: OrderBody, order_id: str) -> ParentOrder:
    wanted = body.execution_instructions
    if body.algorithm and wanted.algorithm and body.algorithm is not wanted.algorithm:
        raise InvalidInput(
            "algorithm is given twice, and differs",
            field="algorithm",
            value=body.algorithm,
            expected=f"{wanted.algorithm}, or only one of the two",
        )
    return ParentOrder(
        order_id=ParentOrderId(order_id),
        instrument_id=InstrumentId(body.instrument_id),
        side=body.side,
        quantity=body.quantity,
        order_type=body.order_type,
        price=body.price,
        portfolio_id=body.portfolio_id,
        account_id=body.account_id,
        instructions=ExecutionInstructions(
            max_participation_rate=wanted.max_participation_rate,
            min_fill_size=wanted.min_fill_size,
            execution_style=wanted.execution_style,
            urgency=wanted.urgency,
            objective=wanted.objective,
            start_time_ns=wanted.start_time,
            end_time_ns=wanted.end_time,
            algorithm=body.algorithm or wanted.algorithm,
            parameters=dict(body.parameters or wanted.parameters or {}) or None,
            selection_id=body.selection_id,
            venue_restrictions=tuple(VenueId(venue) for venue in wanted.venue_restrictions),
            dark_pool_preference=wanted.dark_pool_preference,
        ),
    )


def _same(row: ParentOrderRow, order: ParentOrder) -> bool:
    return (row.instrument_id, row.side, row.quantity, row.order_type, row.price, row.instructions) == (
        order.instrument_id,
        order.side,
        order.quantity,
        order.order_type,
        order.price,
        order.instructions,
    )


async def _known_selection(access: Access, selection_id: str) -> None:
    """Raises NotFound for a proposal that is another tenant's, or nobody's."""
    if await access.store.get(StrategySelectionRow, selection_id) is None:
        raise NotFound(f"no selection {selection_id}", field="selection_id", value=selection_id)


@router.post("", status_code=201, responses=answers.schema(ParentOrderRow, status=201), summary="Send a parent order")
async def create(access: Desk, request: Request, body: OrderBody, key: Key = None) -> Response:
    """With `algorithm` it goes straight to the algorithm service, with `selection_id` it commits that recommendation,
    without either the strategy service chooses. Idempotent on `order_id` and on `Idempotency-Key`."""
    order_id = body.order_id or qualified(access.identity.tenant, access.new_id("order"))
    order = parent_order(body, order_id)
    if body.order_id is not None and (row := await access.store.get(ParentOrderRow, order_id)) is not None:
        if _same(row, order):
            return answer(row)
        raise Conflict(f"order_id {order_id} is already in use", field="order_id", value=order_id, expected="a new id")
    if body.selection_id is not None and access.is_guarded:
        await _known_selection(access, body.selection_id)
    payload = CreateOrder(
        order=order,
        actor=access.actor,
        market=market_now(access, body.instrument_id),
        decision_time_ns=body.decision_time,
    )

    async def work(idempotency: Any) -> Any:
        return await access.requests.ask("order-desk", payload, order_id=order_id, idempotency=idempotency)

    return await once(access, request, key, work, status=201)


@router.get("", responses=answers.page_schema(ParentOrderRow), summary="Parent orders, newest first")
async def listing(
    access: Desk,
    request: Request,
    state: str | None = None,
    instrument_id: str | None = None,
    sort: str = "-created_time_ns",
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """`state` takes several, separated by commas."""

    async def work() -> Response:
        found = await reads.orders(
            access, state=state, instrument_id=instrument_id, sort=sort, limit=limit, cursor=cursor
        )
        return page(found.rows, found.next_cursor)

    return await kept(access, request, ParentOrderRow, work)


@router.get("/{order_id}", responses=answers.schema(ParentOrderRow), summary="One parent order")
async def one(access: Desk, order_id: str) -> Response:
    """Its `version`, which counts its changes, is also the ETag."""
    return versioned(await reads.order_row(access, order_id))


@router.get("/{order_id}/fills", responses=answers.page_schema(FillRow), summary="Its fills, oldest first")
async def fills(access: Desk, order_id: str, limit: Limit = 1000, cursor: Cursor = None) -> Response:
    found = await reads.fills(access, order_id, limit=limit, cursor=cursor)
    return page(found.rows, found.next_cursor)


@router.post("/{order_id}/modify", responses=answers.schema(ParentOrderRow) | OUTDATED, summary="Amend what remains")
async def modify(
    access: Desk, request: Request, order_id: str, body: AmendBody, key: Key = None, if_match: IfMatch = None
) -> Response:
    """With `If-Match`, only the version that was read is amended: a fill or another change since is answered by 412."""
    payload = AmendOrder(
        order_id=order_id,
        actor=access.actor,
        quantity=body.quantity,
        price=body.price,
        end_time_ns=body.end_time,
        max_participation_rate=body.max_participation_rate,
        urgency=body.urgency,
        reason=body.reason,
        expected_version=expected_version(if_match),
    )
    amended: ParentOrderRow | None = None

    async def work(idempotency: Any) -> Any:
        nonlocal amended
        amended = await access.requests.ask("order-desk", payload, order_id=order_id, idempotency=idempotency)
        return amended

    response = await once(access, request, key, work)
    return tagged(response, amended)


@router.put("/{order_id}/cancel", responses=answers.schema(ParentOrderRow) | OUTDATED, summary="Cancel what remains")
async def cancel(access: Desk, order_id: str, body: ReasonBody | None = None, if_match: IfMatch = None) -> Response:
    """`If-Match` as of `modify`."""
    payload = CancelOrder(
        order_id=order_id,
        actor=access.actor,
        reason=body.reason if body else None,
        expected_version=expected_version(if_match),
    )
    return versioned(await access.requests.ask("order-desk", payload, order_id=order_id))
