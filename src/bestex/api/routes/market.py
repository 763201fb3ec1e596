"""The market as the dashboard reads it."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from bestex.api import answers
from bestex.api.access import Access, Desk
from bestex.api.answers import answer, page
from bestex.domain.errors import InvalidInput
from bestex.domain.market import Bar, Book, MarketSnapshot, Quote, Trade
from bestex.domain.time import NS_PER_MINUTE, from_iso
from bestex.messages.codec import client_view

router = APIRouter(tags=["market"])

When = Annotated[str | None, Query(description="ISO-8601 with its zone")]
Rows = Annotated[int, Query(ge=1, le=50_000)]


@router.get("/market/{instrument_id}/quote", responses=answers.schema(MarketSnapshot), summary="The market now")
async def quote(access: Desk, instrument_id: str) -> Response:
    snapshot = access.market.snapshot(instrument_id)
    mid, spread = snapshot.mid, snapshot.spread
    session = access.reference.session(instrument_id, access.market.now_ns)
    expected_share = None
    if session is not None and session[0] <= access.market.now_ns <= session[1]:
        curve = access.reference.volume_curve(instrument_id, access.market.now_ns)
        expected_share = curve.share(session[0], access.market.now_ns)
    view: dict[str, Any] = client_view(snapshot)
    view |= {
        "mid": mid,
        "spread": spread,
        "spread_bps": float(spread / mid * 10_000) if mid and spread is not None else None,
        "session_open": client_view({"t_ns": session[0]})["t"] if session else None,
        "session_close": client_view({"t_ns": session[1]})["t"] if session else None,
        "expected_volume_share": expected_share,
    }
    return answer(view)


def _span(access: Access, instrument_id: str, start: str | None, end: str | None) -> tuple[int, int]:
    access.reference.instrument(instrument_id)
    now = access.market.now_ns
    session = access.reference.session(instrument_id, now)
    first = from_iso(start, field="start") if start else (min(session[0], now) if session else now - 60 * NS_PER_MINUTE)
    last = from_iso(end, field="end") if end else now
    if last < first:
        raise InvalidInput("end is before start", field="end", value=end, expected="start or later")
    return first, last


@router.get("/market/{instrument_id}/bars", responses=answers.page_schema(Bar), summary="Bars since the open")
async def bars(
    access: Desk,
    instrument_id: str,
    start: When = None,
    end: When = None,
    bar_seconds: Annotated[int, Query(ge=1, le=86_400)] = 60,
) -> Response:
    first, last = _span(access, instrument_id, start, end)
    if (last - first) // (bar_seconds * 1_000_000_000) > 50_000:
        raise InvalidInput(
            "more than 50000 bars", field="bar_seconds", value=bar_seconds, expected="longer bars or a shorter span"
        )
    return page(access.market.bars(instrument_id, first, last, bar_seconds))


@router.get("/market/{instrument_id}/trades", responses=answers.page_schema(Trade), summary="Prints")
async def trades(
    access: Desk, instrument_id: str, start: When = None, end: When = None, limit: Rows = 10_000
) -> Response:
    """Since the open where no `start` is given; the latest `limit` of the span, in order."""
    return page(access.market.trades(instrument_id, *_span(access, instrument_id, start, end), limit))


@router.get(
    "/market/{instrument_id}/quotes", responses=answers.page_schema(Quote), summary="Best bid and ask over time"
)
async def quotes(
    access: Desk, instrument_id: str, start: When = None, end: When = None, limit: Rows = 10_000
) -> Response:
    """Since the open where no `start` is given; the latest `limit` of the span, in order."""
    return page(access.market.quotes(instrument_id, *_span(access, instrument_id, start, end), limit))


@router.get("/market/{instrument_id}/book", responses=answers.schema(Book), summary="Displayed depth")
async def book(access: Desk, instrument_id: str, levels: Annotated[int, Query(ge=1, le=100)] = 10) -> Response:
    return answer(access.market.book(instrument_id, levels))
