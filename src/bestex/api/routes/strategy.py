"""Execution strategy service over HTTP: recommend, adapt, and what became of it."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from bestex.api import answers, reads
from bestex.api.access import Access, Desk
from bestex.api.answers import Cursor, Limit, answer, page
from bestex.api.fields import plain
from bestex.api.idempotency import Key, once
from bestex.api.kept import kept
from bestex.api.market_now import market_now
from bestex.api.models import (
    AdaptBody,
    ConstraintsBody,
    MarketContextBody,
    NewStrategyBody,
    RecommendBody,
    StrategyBody,
)
from bestex.api.strict_route import StrictRoute
from bestex.api.summaries.graded import ROWS_MAX
from bestex.api.summaries.models import ModelInUse, model_in_use
from bestex.api.summaries.performance import StrategyInsight, insights
from bestex.domain.errors import InvalidInput, NotFound
from bestex.messages.records import (
    ExecutionStatusRow,
    ExecutionStrategyRow,
    MonitoringRow,
    ParentOrderRow,
    StrategyPerformanceRow,
    StrategySelectionRow,
)
from bestex.messages.strategy import (
    AdaptStrategy,
    DeleteStrategy,
    ExecutionConstraints,
    MarketConditions,
    MarketContext,
    Recommendation,
    RecommendExecution,
    SaveStrategy,
)

router = APIRouter(prefix="/execution-strategy", tags=["execution strategy"], route_class=StrictRoute)


def constraints_of(body: ConstraintsBody) -> ExecutionConstraints:
    return ExecutionConstraints(**{**body.model_dump(), "venue_restrictions": tuple(body.venue_restrictions)})


def context_of(body: MarketContextBody | None) -> MarketContext | None:
    return None if body is None else MarketContext(**body.model_dump(), source="client")


def _request(access: Access, body: RecommendBody) -> RecommendExecution:
    if body.end_time is not None and body.end_time <= max(body.start_time or 0, access.clock.now_ns()):
        raise InvalidInput(
            "end_time is not after start_time and now",
            field="end_time",
            expected="a time after start_time and after now",
        )
    return RecommendExecution(
        order_id=body.order_id,
        instrument_id=body.instrument_id,
        side=body.side,
        quantity=body.quantity,
        objective=body.objective,
        urgency=body.urgency,
        constraints=constraints_of(body.constraints),
        market=market_now(access, body.instrument_id),
        market_context=context_of(body.market_context),
        start_time_ns=body.start_time,
        end_time_ns=body.end_time,
        algorithm=body.algorithm,
    )


@router.post("/recommend", responses=answers.schema(Recommendation), summary="Recommend an execution strategy")
async def recommend(access: Desk, request: Request, body: RecommendBody, key: Key = None) -> Response:
    """Stores the selection as PROPOSED and starts nothing. An order with its `selection_id` commits it."""
    access.reference.instrument(body.instrument_id).quantity_to_lots(body.quantity)

    async def work(idempotency: Any) -> Any:
        return await access.requests.ask(
            "strategy", _request(access, body), order_id=body.order_id, idempotency=idempotency
        )

    return await once(access, request, key, work)


@router.post("/recommend/batch", summary="Recommend for a basket", responses=answers.page_schema(Recommendation))
async def recommend_batch(access: Desk, body: list[RecommendBody]) -> Response:
    """Answers in the order of the requests; refuses all if one is wrong."""
    if not 1 <= len(body) <= 100:
        raise InvalidInput(f"{len(body)} requests", field="body", value=len(body), expected="1 to 100 requests")
    for item in body:
        access.reference.instrument(item.instrument_id).quantity_to_lots(item.quantity)
    rows = [await access.requests.ask("strategy", _request(access, item), order_id=item.order_id) for item in body]
    return page(rows)


@router.post("/{order_id}/adapt", responses=answers.schema(Recommendation), summary="Re-plan what remains")
async def adapt(access: Desk, request: Request, order_id: str, body: AdaptBody, key: Key = None) -> Response:
    order = await access.store.get(ParentOrderRow, order_id)
    if order is None:
        raise NotFound(f"no order {order_id}", field="order_id", value=order_id)
    payload = AdaptStrategy(
        order_id=order_id,
        reason=body.reason,
        market=access.market.snapshot(order.instrument_id),
        actor=access.actor,
        constraints=None if body.constraints is None else constraints_of(body.constraints),
        objective=body.objective,
        urgency=body.urgency,
        market_context=context_of(body.market_context),
        remaining_quantity=body.remaining_quantity,
    )

    async def work(idempotency: Any) -> Any:
        return await access.requests.ask("strategy", payload, order_id=order_id, idempotency=idempotency)

    return await once(access, request, key, work)


@router.get("/{order_id}/status", summary="Selected strategy, progress, expected against realised")
async def status(access: Desk, order_id: str) -> Response:
    selections = await reads.selections(access, order_id)
    if not selections:
        raise NotFound(f"no selection for order {order_id}", field="order_id", value=order_id)
    committed = [row for row in selections if row.status == "COMMITTED"] or selections[-1:]
    latest = committed[-1]
    working = await access.store.get(ExecutionStatusRow, order_id)
    order = await access.store.get(ParentOrderRow, order_id)
    watched = await access.store.get(MonitoringRow, order_id)
    return answer(
        {
            "order_id": order_id,
            "state": order.state if order else latest.status,
            "selection_id": latest.id,
            "strategy_name": latest.strategy_name,
            "algorithm": latest.algorithm,
            "progress": float(order.filled_quantity / order.quantity) if order else 0.0,
            "filled_quantity": order.filled_quantity if order else 0,
            "remaining_quantity": order.quantity - order.filled_quantity if order else latest.quantity,
            "scheduled_quantity": working.scheduled_quantity if working else None,
            "expected_outcomes": latest.expected_outcomes,
            "realised_outcomes": latest.actual_outcomes,
            "live_metrics": watched.update.get("metrics") if watched else None,
            "performance_score": latest.performance_score,
            "adaptations": [
                {
                    "adaptation": row.adaptation,
                    "time_ns": row.created_at_ns,
                    "reason": row.reason,
                    "to": row.strategy_name,
                }
                for row in committed
                if row.adaptation > 0
            ],
            "last_updated_ns": order.updated_time_ns if order else latest.created_at_ns,
        }
    )


@router.get("/{order_id}/timeline", summary="Selections and adaptations in order, with reasons")
async def timeline(access: Desk, order_id: str) -> Response:
    return page(await reads.selections(access, order_id))


@router.get(
    "/performance",
    summary="Expected against realised, per strategy",
    responses=answers.page_schema(StrategyPerformanceRow),
)
async def performance(
    access: Desk, start_date: Annotated[date | None, Query()] = None, end_date: Annotated[date | None, Query()] = None
) -> Response:
    rows = (await access.store.find(StrategyPerformanceRow, order_by="execution_date", limit=10_000)).rows
    first, last = start_date or date.min, end_date or date.max
    if last < first:
        raise InvalidInput(
            "end_date is before start_date", field="end_date", value=end_date, expected="start_date or later"
        )
    rows = [row for row in rows if first <= date.fromisoformat(row.execution_date) <= last]
    names = sorted({row.strategy_name for row in rows})
    return answer(
        {
            "start_date": str(start_date) if start_date else None,
            "end_date": str(end_date) if end_date else None,
            "strategies": [_totals(name, [row for row in rows if row.strategy_name == name]) for name in names],
            "totals": _totals("all", rows) if rows else None,
        }
    )


def _totals(name: str, rows: list[StrategyPerformanceRow]) -> dict[str, Any]:
    orders = sum(row.orders_executed for row in rows)

    def mean(field: str) -> float:
        return float(sum(getattr(row, field) * row.orders_executed for row in rows)) / orders

    return {
        "strategy_name": name,
        "orders_executed": orders,
        **{
            field: mean(field)
            for field in ("avg_cost", "avg_market_impact", "success_rate", "avg_expected_cost", "cost_error")
        },
    }


@router.get("/strategies", summary="The catalogue", responses=answers.page_schema(ExecutionStrategyRow))
async def strategies(
    access: Desk,
    request: Request,
    enabled: bool | None = None,
    strategy_type: str | None = None,
    sort: str | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    async def work() -> Response:
        found = await reads.strategies(
            access, enabled=enabled, strategy_type=strategy_type, sort=sort, limit=limit, cursor=cursor
        )
        return page(found.rows, found.next_cursor)

    return await kept(access, request, ExecutionStrategyRow, work)


@router.get("/strategies/{name}", summary="One execution strategy", responses=answers.schema(ExecutionStrategyRow))
async def strategy(access: Desk, name: str) -> Response:
    row = await access.store.get(ExecutionStrategyRow, name)
    if row is None:
        raise NotFound(f"no execution strategy {name!r}", field="name", value=name)
    return answer(row)


@router.get("/selections", summary="Past recommendations", responses=answers.page_schema(StrategySelectionRow))
async def selections(access: Desk, order_id: str | None = None, limit: Limit = 100, cursor: Cursor = None) -> Response:
    where: dict[str, object] = {} if order_id is None else {"order_id": order_id}
    found = await access.store.find(
        StrategySelectionRow, where=where, order_by="-created_at_ns", limit=limit, cursor=cursor
    )
    return page(found.rows, found.next_cursor)


def _saved(access: Access, name: str, body: StrategyBody, *, create: bool) -> SaveStrategy:
    return SaveStrategy(
        strategy_name=name,
        algorithm_mapping=plain(body.algorithm_mapping),
        parameter_ranges={key: span.model_dump() for key, span in body.parameter_ranges.items()},
        actor=access.actor,
        enabled=body.enabled,
        create=create,
    )


@router.post(
    "/strategies",
    status_code=201,
    responses=answers.schema(ExecutionStrategyRow, status=201),
    summary="Add an execution strategy to the catalogue",
)
async def add_strategy(access: Desk, request: Request, body: NewStrategyBody, key: Key = None) -> Response:
    payload = _saved(access, body.strategy_name, body, create=True)

    async def work(idempotency: Any) -> Any:
        return await access.requests.ask("strategy", payload, order_id="desk", idempotency=idempotency)

    return await once(access, request, key, work, status=201)


@router.put("/strategies/{name}", responses=answers.schema(ExecutionStrategyRow), summary="Change one, or switch it")
async def change_strategy(access: Desk, name: str, body: StrategyBody) -> Response:
    """A built-in one keeps its algorithm."""
    return answer(await access.requests.ask("strategy", _saved(access, name, body, create=False), order_id="desk"))


@router.delete("/strategies/{name}", responses=answers.schema(ExecutionStrategyRow), summary="Recommend it no more")
async def drop_strategy(access: Desk, name: str) -> Response:
    """The row stays, disabled: old selections keep its name."""
    payload = DeleteStrategy(strategy_name=name, actor=access.actor)
    return answer(await access.requests.ask("strategy", payload, order_id="desk"))


@router.get(
    "/market-conditions/{instrument_id}",
    responses=answers.schema(MarketConditions),
    summary="Regime, volatility, liquidity, trend and intraday pattern now",
)
async def market_conditions(access: Desk, instrument_id: str) -> Response:
    return answer(await reads.market_conditions(access, instrument_id))


@router.get(
    "/history", responses=answers.page_schema(StrategySelectionRow), summary="Committed selections with their outcomes"
)
async def history(
    access: Desk,
    strategy_name: str | None = None,
    instrument_id: str | None = None,
    algorithm: str | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Newest first. `actual_outcomes` is null until the order is complete."""
    given = {"strategy_name": strategy_name, "instrument_id": instrument_id, "algorithm": algorithm}
    where: dict[str, object] = {name: value for name, value in given.items() if value is not None}
    found = await access.store.find(
        StrategySelectionRow,
        where={"status": "COMMITTED"} | where,
        order_by="-created_at_ns",
        limit=limit,
        cursor=cursor,
    )
    return page(found.rows, found.next_cursor)


@router.get(
    "/insights",
    responses=answers.page_schema(StrategyInsight),
    summary="Per execution strategy: does it cost what it was expected to?",
)
async def strategy_insights(access: Desk) -> Response:
    """Over the latest 2,000 selections. Below 20 completed orders of one, only their count is given."""
    return page(insights(await _outcomes(access)))


async def _outcomes(access: Access) -> Sequence[StrategySelectionRow]:
    found = await access.store.find(
        StrategySelectionRow, where={"status": "COMMITTED"}, order_by="-created_at_ns", limit=ROWS_MAX
    )
    rows: Sequence[StrategySelectionRow] = found.rows
    return rows


@router.get(
    "/models", responses=answers.page_schema(ModelInUse), summary="The cost model in use, and how well it predicts"
)
async def models(access: Desk) -> Response:
    """Calibrated on the latest 2,000 committed selections; below 20 completed orders only their count is given."""
    rows = await _outcomes(access)
    return page([model_in_use(model, rows) for model in access.cost_models])


@router.get("/models/{model_id}", responses=answers.schema(ModelInUse), summary="One cost model")
async def model(access: Desk, model_id: str) -> Response:
    found = next((item for item in access.cost_models if item.model_id == model_id), None)
    if found is None:
        raise NotFound(
            f"no cost model {model_id!r}",
            field="model_id",
            value=model_id,
            expected=", ".join(item.model_id for item in access.cost_models),
        )
    return answer(model_in_use(found, await _outcomes(access)))
