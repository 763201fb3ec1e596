"""Execution monitoring service over HTTP and WebSocket: what is happening, and what it cost."""

from typing import Any

from fastapi import APIRouter, Request, WebSocket
from starlette.responses import Response

from bestex.api import answers, reads, streams
from bestex.api.access import Access, Desk
from bestex.api.answers import Cursor, Limit, answer, page
from bestex.api.idempotency import Key, once
from bestex.api.models import AcknowledgeBody, AlertRuleBody, MonitorBody, NewAlertRuleBody, SilenceBody
from bestex.api.reads import After, order_row
from bestex.api.strict_route import StrictRoute
from bestex.api.summaries.data_quality import MonitoringQuality, monitoring_quality
from bestex.api.summaries.graded import graded
from bestex.api.summaries.performance import BenchmarkComparison, Ranking, comparison, comparisons, rankings
from bestex.domain.errors import Conflict, NotFound
from bestex.messages.monitoring import AcknowledgeAlert, DeleteAlertRule, SaveAlertRule, SilenceAlert, StartMonitoring
from bestex.messages.records import AlertRow, AlertRuleRow, MonitoringRow

router = APIRouter(prefix="/monitoring", tags=["execution monitoring"], route_class=StrictRoute)


@router.post("/start", summary="Set metrics and thresholds of one order")
async def start(access: Desk, body: MonitorBody) -> Response:
    """Orders are monitored without being asked."""
    await order_row(access, body.order_id)
    payload = StartMonitoring(
        order_id=body.order_id,
        actor=access.actor,
        monitoring_metrics=tuple(body.monitoring_metrics),
        alert_thresholds=dict(body.alert_thresholds),
        real_time_updates=body.real_time_updates,
    )
    return answer(await access.requests.ask("monitoring", payload, order_id=body.order_id))


async def _alerts(access: Access, order_id: str) -> list[AlertRow]:
    return list((await access.store.find(AlertRow, where={"order_id": order_id}, order_by="raised_time_ns")).rows)


@router.get("/{order_id}/status", summary="Progress, metrics and alerts now")
async def status(access: Desk, order_id: str) -> Response:
    row = await reads.monitoring(access, order_id)
    return answer(
        {
            "order_id": order_id,
            "state": row.state,
            "execution_progress": row.execution_progress,
            "current_metrics": row.update.get("metrics"),
            "update": row.update,
            "alerts": await _alerts(access, order_id),
            "performance_score": row.performance_score,
            "last_updated_ns": row.updated_time_ns,
        }
    )


@router.get("/{order_id}/analytics", summary="Costs against benchmarks, and where they came from")
async def analytics(access: Desk, order_id: str) -> Response:
    """Final once the order is complete; until then `cost_analysis` is null."""
    row = await reads.monitoring(access, order_id)
    measured: dict[str, Any] = row.measured or {}
    costs: dict[str, Any] = measured.get("costs") or {}
    parts = ("delay", "spread", "market_impact", "timing", "opportunity", "commission", "fees", "total")
    benchmarks = (
        ("arrival", "arrival_price", "arrival_slippage_bps"),
        ("interval_vwap", "interval_vwap", "vwap_slippage_bps"),
        ("interval_twap", "interval_twap", "twap_slippage_bps"),
        ("decision", "decision_price", "implementation_shortfall_bps"),
    )
    return answer(
        {
            "order_id": order_id,
            "execution_summary": {name: value for name, value in measured.items() if name not in ("costs", "fills")}
            or row.update,
            "cost_analysis": costs or None,
            "performance_attribution": {name: costs[name] for name in parts if name in costs} or None,
            "benchmark_comparison": [
                {"benchmark": name, "price": costs.get(price), "slippage_bps": costs.get(slippage)}
                for name, price, slippage in benchmarks
            ]
            if costs
            else [],
            "fills": measured.get("fills", []),
            "trade_executed": row.trade_executed,
        }
    )


@router.get("/{order_id}/timeline", summary="The order's life, event by event")
async def timeline(
    access: Desk, order_id: str, after_position: After = 0, limit: Limit = 1000, cursor: Cursor = None
) -> Response:
    """Everything on the order's stream but the timers and the live updates. To go on later, give the last `position`
    seen as `after_position`."""
    found = await reads.timeline(
        access, order_id, after_position=after_position, limit=limit, cursor=cursor, quiet=reads.QUIET
    )
    return page(found.rows, found.next_cursor)


@router.get("/orders", summary="The latest update of each order", responses=answers.page_schema(MonitoringRow))
async def orders(access: Desk, state: str | None = None, limit: Limit = 100, cursor: Cursor = None) -> Response:
    where: dict[str, object] = {} if state is None else {"state": tuple(state.split(","))}
    found = await access.store.find(MonitoringRow, where=where, order_by="-updated_time_ns", limit=limit, cursor=cursor)
    return page(found.rows, found.next_cursor)


@router.get("/executions", summary="Completed orders with their trade_executed")
async def executions(access: Desk, limit: Limit = 100, cursor: Cursor = None) -> Response:
    found = await access.store.find(
        MonitoringRow,
        where={"state": ("FILLED", "CANCELLED", "EXPIRED", "REJECTED")},
        order_by="-updated_time_ns",
        limit=limit,
        cursor=cursor,
    )
    return page([row.trade_executed for row in found.rows if row.trade_executed is not None], found.next_cursor)


@router.get("/alerts", summary="Live and past alerts, newest first", responses=answers.page_schema(AlertRow))
async def alerts(
    access: Desk, order_id: str | None = None, state: str | None = None, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    found = await reads.alerts(access, order_id=order_id, state=state, limit=limit, cursor=cursor)
    return page(found.rows, found.next_cursor)


@router.post("/alerts/{alert_id}/acknowledge", summary="I have seen it")
async def acknowledge(access: Desk, alert_id: str, body: AcknowledgeBody | None = None) -> Response:
    row = await access.store.get(AlertRow, alert_id)
    if row is None:
        raise NotFound(f"no alert {alert_id}", field="alert_id", value=alert_id)
    payload = AcknowledgeAlert(
        order_id=row.order_id, alert_id=alert_id, actor=access.actor, note=body.note if body else None
    )
    return answer(await access.requests.ask("monitoring", payload, order_id=row.order_id))


@router.post("/alerts/{alert_id}/silence", responses=answers.schema(AlertRow), summary="Tell nobody of it for a while")
async def silence(access: Desk, alert_id: str, body: SilenceBody) -> Response:
    """Neither of this alert nor of what the same rule finds of the same order; both are shown all the while. It ends by
    itself: what still fires then is told. A broken invariant cannot be silenced."""
    row = await access.store.get(AlertRow, alert_id)
    if row is None:
        raise NotFound(f"no alert {alert_id}", field="alert_id", value=alert_id)
    payload = SilenceAlert(
        order_id=row.order_id,
        alert_id=alert_id,
        actor=access.actor,
        duration_seconds=body.duration_seconds,
        reason=body.reason,
    )
    return answer(await access.requests.ask("monitoring", payload, order_id=row.order_id))


@router.get("/alerts/rules", summary="Alert rules", responses=answers.page_schema(AlertRuleRow))
async def rules(access: Desk, limit: Limit = 100, cursor: Cursor = None) -> Response:
    found = await access.store.find(AlertRuleRow, limit=limit, cursor=cursor)
    return page(found.rows, found.next_cursor)


def _rule(access: Access, name: str, body: AlertRuleBody) -> SaveAlertRule:
    return SaveAlertRule(
        rule_name=name,
        alert_type=body.alert_type,
        metric=body.metric,
        comparison=body.comparison,
        threshold=body.threshold,
        for_seconds=body.for_seconds,
        severity=body.severity,
        actor=access.actor,
        enabled=body.enabled,
    )


@router.post(
    "/alerts/rules", status_code=201, responses=answers.schema(AlertRuleRow, status=201), summary="Add an alert rule"
)
async def add_rule(access: Desk, request: Request, body: NewAlertRuleBody, key: Key = None) -> Response:
    async def work(idempotency: Any) -> Any:
        if await access.store.get(AlertRuleRow, body.rule_name) is not None:
            raise Conflict(
                f"alert rule {body.rule_name!r} exists already; change it with PUT",
                field="rule_name",
                value=body.rule_name,
                expected="a new name",
            )
        payload = _rule(access, body.rule_name, body)
        return await access.requests.ask("monitoring", payload, order_id="desk", idempotency=idempotency)

    return await once(access, request, key, work, status=201)


async def _known_rule(access: Access, name: str) -> None:
    if await access.store.get(AlertRuleRow, name) is None:
        raise NotFound(f"no alert rule {name!r}", field="rule_name", value=name)


@router.put("/alerts/rules/{name}", responses=answers.schema(AlertRuleRow), summary="Change an alert rule")
async def change_rule(access: Desk, name: str, body: AlertRuleBody) -> Response:
    await _known_rule(access, name)
    return answer(await access.requests.ask("monitoring", _rule(access, name, body), order_id="desk"))


@router.delete("/alerts/rules/{name}", responses=answers.schema(AlertRuleRow), summary="Raise it no more")
async def drop_rule(access: Desk, name: str) -> Response:
    """The row stays, disabled: alerts that it raised keep its name."""
    await _known_rule(access, name)
    payload = DeleteAlertRule(rule_name=name, actor=access.actor)
    return answer(await access.requests.ask("monitoring", payload, order_id="desk"))


@router.get(
    "/benchmarks",
    responses=answers.page_schema(BenchmarkComparison),
    summary="Average slippage per instrument and algorithm, with sample sizes and intervals",
)
async def benchmarks(access: Desk, instrument_id: str | None = None, algorithm: str | None = None) -> Response:
    """The desk's own baseline over its latest 2,000 graded executions; the first row is all of them together.

    Below 20 orders a mean is null, and its note says how many there are.
    """
    rows = await graded(access, instrument_id=instrument_id, algorithm=algorithm)
    return page([comparison(rows, instrument_id=instrument_id, algorithm=algorithm), *comparisons(rows)])


@router.get("/rankings", responses=answers.page_schema(Ranking), summary="Algorithms by excess cost, cheapest first")
async def ranked(access: Desk, instrument_id: str | None = None) -> Response:
    """By realised minus expected cost, so that an algorithm that gets the hard orders is not punished for them."""
    return page(rankings(await graded(access, instrument_id=instrument_id)))


@router.get(
    "/quality",
    responses=answers.schema(MonitoringQuality),
    summary="How complete and accurate monitoring itself is",
)
async def quality(access: Desk) -> Response:
    """Over the latest 500 fills and watched orders."""
    return answer(await monitoring_quality(access))


@router.websocket("/{order_id}/stream")
async def order_stream(socket: WebSocket, order_id: str, after_sequence: int = 0) -> None:
    """Monitoring's messages of one order; resume after the last `sequence` seen."""
    await streams.order_stream(socket, socket.app.state.access, order_id, after_sequence)


@router.websocket("/stream")
async def desk_stream(socket: WebSocket, after_position: int | None = None) -> None:
    """All orders; resume after the last `position` seen, or leave it out to start now."""
    await streams.desk_stream(socket, socket.app.state.access, after_position)
