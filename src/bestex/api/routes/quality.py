"""Execution quality service over HTTP: grades of executions, venues and algorithms."""

from fastapi import APIRouter
from starlette.responses import Response

from bestex.api import answers
from bestex.api.access import Desk
from bestex.api.answers import Cursor, Limit, answer, page
from bestex.api.models import AnalyzeBody
from bestex.api.routes.orders import order_row
from bestex.api.strict_route import StrictRoute
from bestex.domain.errors import NotFound
from bestex.messages.quality import AnalyzeQuality, ExecutionQualityAnalyzed
from bestex.messages.records import AlgorithmProfileRow, QualityResultRow, QualityStandardRow, VenueProfileRow

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
    row = await access.store.get(QualityResultRow, order_id)
    if row is None:
        raise NotFound(f"order {order_id} has no grade", field="order_id", value=order_id)
    return answer(row.analysis)


@router.get("/venue-comparison", responses=answers.page_schema(VenueProfileRow), summary="Venues side by side")
async def venues(access: Desk, venue_types: str | None = None) -> Response:
    where: dict[str, object] = {} if venue_types is None else {"venue_type": tuple(venue_types.split(","))}
    found = await access.store.find(VenueProfileRow, where=where, order_by="-quality_score")
    return page(found.rows)


@router.get(
    "/algorithm-performance", responses=answers.page_schema(AlgorithmProfileRow), summary="Algorithms side by side"
)
async def algorithms(access: Desk, algorithm_name: str | None = None) -> Response:
    where: dict[str, object] = {} if algorithm_name is None else {"algorithm": algorithm_name}
    found = await access.store.find(AlgorithmProfileRow, where=where, order_by="-quality_score")
    return page(found.rows)


@router.get(
    "/standards", responses=answers.page_schema(QualityStandardRow), summary="Weights and cut points by version"
)
async def standards(access: Desk) -> Response:
    return page((await access.store.find(QualityStandardRow)).rows)
