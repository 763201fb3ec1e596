"""Execution quality service over HTTP: grades of executions, venues and algorithms."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from bestex.api import answers, reads
from bestex.api.access import Desk
from bestex.api.answers import Cursor, Limit, answer, page
from bestex.api.models import AnalyzeBatchBody, AnalyzeBody, QualityMonitorBody
from bestex.api.reads import order_row
from bestex.api.strict_route import StrictRoute
from bestex.api.summaries import quality as summaries
from bestex.api.summaries.forecasts import MetricForecast, forecasts
from bestex.api.summaries.graded import checked_dates, graded
from bestex.domain.errors import InvalidInput
from bestex.messages.quality import AnalyzeQuality, ExecutionQualityAnalyzed
from bestex.messages.records import (
    AlgorithmProfileRow,
    QualityAlertRow,
    QualityResultRow,
    QualityStandardRow,
    VenueProfileRow,
)

router = APIRouter(prefix="/execution-quality", tags=["execution quality"], route_class=StrictRoute)


@router.post("/analyze", responses=answers.schema(ExecutionQualityAnalyzed), summary="Grade a completed order")
async def analyze(access: Desk, body: AnalyzeBody) -> Response:
    await order_row(access, body.order_id)
    payload = AnalyzeQuality(order_id=body.order_id)
    return answer(await access.requests.ask("quality", payload, order_id=body.order_id))


@router.get("/results", responses=answers.page_schema(QualityResultRow), summary="Grades, newest first")
async def results(
    access: Desk,
    quality_grade: str | None = None,
    algorithm: str | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    where: dict[str, object] = {}
    if quality_grade is not None:
        where["quality_grade"] = tuple(quality_grade.split(","))
    if algorithm is not None:
        where["algorithm"] = algorithm
    found = await access.store.find(
        QualityResultRow, where=where, order_by="-created_at_ns", limit=limit, cursor=cursor
    )
    return page(found.rows, found.next_cursor)


@router.get("/results/{order_id}", responses=answers.schema(ExecutionQualityAnalyzed), summary="The grade of one order")
async def result(access: Desk, order_id: str) -> Response:
    return answer((await reads.quality_result(access, order_id)).analysis)


@router.get("/venue-comparison", responses=answers.page_schema(VenueProfileRow), summary="Venues side by side")
async def venues(
    access: Desk, venue_types: str | None = None, start_date: date | None = None, end_date: date | None = None
) -> Response:
    """Without dates the roll-up of every order so far, graded where the evidence is enough. With dates the latest 2,000
    executions of those days, each order weighing the same: scores with intervals in `metrics`, no grades."""
    if start_date is not None or end_date is not None:
        rows = await graded(access, start_date=start_date, end_date=end_date)
        types = {str(venue.venue_id): str(venue.venue_type) for venue in access.reference.venues()}
        wanted = None if venue_types is None else venue_types.split(",")
        return page(summaries.venue_rows(rows, types, wanted))
    return page(await reads.venue_profiles(access, venue_types=venue_types))


@router.get(
    "/algorithm-performance", responses=answers.page_schema(AlgorithmProfileRow), summary="Algorithms side by side"
)
async def algorithms(
    access: Desk, algorithm_name: str | None = None, start_date: date | None = None, end_date: date | None = None
) -> Response:
    """With or without dates as in the venue comparison."""
    if start_date is not None or end_date is not None:
        rows = await graded(access, algorithm=algorithm_name, start_date=start_date, end_date=end_date)
        return page(summaries.algorithm_rows(rows))
    return page(await reads.algorithm_profiles(access, algorithm=algorithm_name))


@router.get(
    "/standards", responses=answers.page_schema(QualityStandardRow), summary="Weights and cut points by version"
)
async def standards(access: Desk) -> Response:
    return page((await access.store.find(QualityStandardRow)).rows)


@router.post(
    "/analyze/batch",
    responses=answers.schema(summaries.BatchAnalysis),
    summary="Grades of many executions, by order id or date",
)
async def analyze_batch(access: Desk, body: AnalyzeBatchBody) -> Response:
    """The stored grades: grading is fixed by a versioned standard, so doing it again would give the same."""
    has_dates = body.start_date is not None or body.end_date is not None
    if (body.order_ids is None) == (not has_dates):
        raise InvalidInput(
            "give either order_ids or dates",
            field="order_ids",
            expected="order_ids, or start_date and/or end_date",
        )
    checked_dates(body.start_date, body.end_date)
    if body.order_ids is None:
        rows = await graded(access, start_date=body.start_date, end_date=body.end_date, limit=body.limit)
    else:
        where: dict[str, object] = {"order_id": tuple(body.order_ids)}
        rows = list((await access.store.find(QualityResultRow, where=where, limit=len(body.order_ids))).rows)
    return answer(summaries.batch(rows, body.order_ids or ()))


@router.post(
    "/monitor", responses=answers.schema(summaries.QualityMonitoring), summary="Where quality stands and where it goes"
)
async def monitor(access: Desk, body: QualityMonitorBody) -> Response:
    """Over the latest 2,000 graded executions that the body names."""
    rows = await graded(
        access,
        algorithm=body.algorithm,
        instrument_id=body.instrument_id,
        start_date=body.start_date,
        end_date=body.end_date,
    )
    alerts = (await access.store.find(QualityAlertRow, order_by="-created_at_ns", limit=1_000)).rows
    return answer(summaries.monitoring(rows, alerts))


@router.get(
    "/benchmarks",
    responses=answers.page_schema(summaries.MetricPercentiles),
    summary="What is usual for each algorithm on this desk, metric by metric",
)
async def benchmarks(access: Desk, algorithm: str | None = None) -> Response:
    """Peers are this desk's own latest 2,000 executions: no industry figures are known to it, and none are invented."""
    return page(summaries.percentiles_by_algorithm(await graded(access, algorithm=algorithm)))


@router.get(
    "/percentiles", responses=answers.page_schema(summaries.MetricPercentiles), summary="Percentiles of every metric"
)
async def percentiles(access: Desk, algorithm: str | None = None, instrument_id: str | None = None) -> Response:
    """Over the latest 2,000 executions; null below 20. An order's own ranks are in its result."""
    rows = await graded(access, algorithm=algorithm, instrument_id=instrument_id)
    return page(summaries.percentiles(rows, algorithm))


@router.get(
    "/recommendations",
    responses=answers.page_schema(summaries.QualityRecommendation),
    summary="What could be done better, newest first",
)
async def recommendations(
    access: Desk,
    algorithm: str | None = None,
    instrument_id: str | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Each with the execution that bears it out. An execution with nothing to better has none."""
    rows = await graded(access, algorithm=algorithm, instrument_id=instrument_id)
    found, following = summaries.recommendation_page(summaries.recommendations(rows), limit, cursor)
    return page(found, following)


@router.get(
    "/recommendations/{recommendation_id}",
    responses=answers.schema(summaries.QualityRecommendation),
    summary="One recommendation",
)
async def recommendation(access: Desk, recommendation_id: str) -> Response:
    row = await access.store.get(QualityResultRow, recommendation_id.rpartition(":")[0])
    return answer(summaries.one_recommendation(row, recommendation_id))


@router.get(
    "/trends", responses=answers.page_schema(summaries.MetricTrend), summary="Later executions against earlier ones"
)
async def trends(
    access: Desk,
    algorithm: str | None = None,
    instrument_id: str | None = None,
    start_date: date | None = None,
    end_date: date | None = None,
) -> Response:
    """A change is called one when its 95 % interval leaves out zero; INSUFFICIENT_DATA below 20 executions."""
    rows = await graded(
        access, algorithm=algorithm, instrument_id=instrument_id, start_date=start_date, end_date=end_date
    )
    return page(summaries.trends(rows))


@router.get(
    "/forecast",
    responses=answers.page_schema(MetricForecast),
    summary="What the next executions are likely to be, with an interval",
)
async def quality_forecast(
    access: Desk,
    algorithm: str | None = None,
    instrument_id: str | None = None,
    horizon: Annotated[int, Query(ge=1, le=500, description="executions ahead")] = 20,
) -> Response:
    """A line through the latest 2,000 graded executions, its slope shrunk towards level; null below 40.

    Executions count as independent: a day on which all go wrong together makes the interval too narrow."""
    return page(forecasts(await graded(access, algorithm=algorithm, instrument_id=instrument_id), horizon=horizon))
