"""`bestex replay`: one parent order through all four services against a recorded market, in event time."""

import os
import sys
from dataclasses import dataclass, replace
from datetime import datetime, time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bestex.adapters.marketdata.calendars import session_at_or_after
from bestex.adapters.marketdata.history import columns_of, curve_before, read_volumes
from bestex.adapters.marketdata.recordings import Recording
from bestex.adapters.marketdata.tapes import RecordedTape, default_cache, recorded_tape
from bestex.adapters.memory.journal import MemoryJournal
from bestex.adapters.reports.html import write_report
from bestex.adapters.reports.json_report import report_json
from bestex.adapters.reports.order_story import OrderStory, ReportContext, order_story
from bestex.app.desk import Desk
from bestex.app.replay_driver import ReplayDriver
from bestex.app.targets import services
from bestex.domain.errors import InvalidInput, InvalidOrder
from bestex.domain.ids import InstrumentId, ParentOrderId, VenueId
from bestex.domain.instruments import Instrument
from bestex.domain.orders import Algorithm, ExecutionInstructions, ExecutionStyle, OrderType, ParentOrder, Side
from bestex.domain.time import NS_PER_MINUTE, NS_PER_SECOND, from_iso, to_iso
from bestex.domain.venues import Venue, VenueType
from bestex.messages.codec import json_bytes, wire
from bestex.messages.orders import CreateOrder
from bestex.native.replay import QueueModel
from bestex.native.tape import NO_PRICE, Tape
from bestex.quant import session_estimates
from bestex.quant.volume_curves import VolumeCurve
from bestex.simulation.recorded_reference import RecordedReference
from bestex.simulation.replay_market import ReplayListing, ReplayMarket

QUEUE_MODELS: Final = {
    "none": QueueModel.BEHIND_FIRST,
    "pro-rata": QueueModel.PRO_RATA,
    "squared": QueueModel.SQUARE,
    "ahead": QueueModel.AHEAD_FIRST,
}
_ZONES: Final = {
    "XNYS": "America/New_York",
    "XNAS": "America/New_York",
    "CME": "America/Chicago",
    "CMES": "America/Chicago",
}
_CURVE_DAYS: Final = 20
_CURVE_SECONDS: Final = 900
_ALL_ROWS: Final = 1 << 40
_AFTER_END_NS: Final = 2 * NS_PER_MINUTE  # for the last answers, the markouts and the grade


@dataclass(frozen=True, kw_only=True)
class ReplayRequest:
    """What the command line says, as it says it."""

    tape: Path
    side: str
    quantity: str
    start: str
    end: str
    algorithm: str | None = None
    style: str | None = None
    rate: float | None = None
    limit: str | None = None
    book: Path | None = None
    instrument: Path | None = None
    history: Path | None = None
    queue_model: str = "pro-rata"
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """What came of it."""

    journal: MemoryJournal
    market: ReplayMarket
    story: OrderStory
    context: ReportContext


def run(request: ReplayRequest, *, report: Path | None, events: Path | None, as_json: bool) -> None:
    """Replay, write the report and the event log, and say what it cost.

    Raises:
        InvalidInput: for whatever is wrong with the files or the order; nothing is written then.
    """
    console = Console(stderr=True, highlight=False)
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console, transient=True
    ) as progress:
        replayed = replay(request, progress)
    story, context = replayed.story, replayed.context
    target = report or Path(f"{story.order.order_id}.html")
    write_report(story, replayed.market, context, target)
    if events is not None:
        events.write_bytes(b"".join(json_bytes(wire(message)) + b"\n" for message in replayed.journal.messages))
    if as_json:
        sys.stdout.write(json_bytes(report_json(story, context)).decode() + "\n")
    else:
        _say(story, target)


def replay(request: ReplayRequest, progress: Progress) -> Replayed:
    """The order's life, from its files to its grade."""
    side = _choice(Side, request.side, "side")
    algorithm = None if request.algorithm is None else _choice(Algorithm, request.algorithm, "algorithm")
    style = None if request.style is None else _choice(ExecutionStyle, request.style, "style")
    if request.queue_model not in QUEUE_MODELS:
        raise InvalidInput(
            f"queue_model {request.queue_model!r} is not known",
            field="queue_model",
            value=request.queue_model,
            expected="one of " + ", ".join(QUEUE_MODELS),
        )
    building = progress.add_task("reading the recording", total=None)
    recorded = recorded_tape(
        Recording(path=request.tape, book=request.book, instrument=request.instrument),
        default_cache(os.environ, Path.home()),
        progress=lambda done, total: progress.update(building, completed=done, total=total),
    )
    progress.remove_task(building)
    start_ns, end_ns = _window(recorded, request)
    listing = _listing(recorded, QUEUE_MODELS[request.queue_model], start_ns)
    market = ReplayMarket([listing], start_ns=start_ns)
    reference = RecordedReference(market, _curve(request, listing))
    name = f"{listing.instrument.instrument_id}-{side.lower()}-{(algorithm or 'recommended').lower()}"
    order = ParentOrder(
        order_id=ParentOrderId(name),
        instrument_id=InstrumentId(listing.instrument.instrument_id),
        side=side,
        quantity=_decimal(request.quantity, "quantity"),
        order_type=OrderType.MARKET if request.limit is None else OrderType.LIMIT,
        price=None if request.limit is None else _decimal(request.limit, "limit"),
        instructions=ExecutionInstructions(
            algorithm=algorithm,
            execution_style=style,
            max_participation_rate=None if algorithm is Algorithm.PARTICIPATION_RATE else request.rate,
            parameters={"participation_rate": request.rate}
            if algorithm is Algorithm.PARTICIPATION_RATE and request.rate is not None
            else None,
            end_time_ns=end_ns,
        ),
    )
    journal = MemoryJournal()
    driver = ReplayDriver(Desk(services("all", reference, timed=False), market), journal)
    driver.restore_catalogues()
    create = CreateOrder(order=order, actor="replay", market=market.snapshot(order.instrument_id))
    driver.request("order-desk", create, order_id=order.order_id)
    _run_to_the_end(driver, end_ns, progress)
    context = ReportContext(
        title=f"{side} {order.quantity:,f} {listing.instrument.instrument_id}",
        market_kind=f"replay of {', '.join(recorded.report.files)}",
        source_lines=tuple(recorded.report.lines()),
        caveats=_caveats(recorded, request, reference, listing, start_ns),
        seed=request.seed,
        command=_command(request),
    )
    return Replayed(journal=journal, market=market, story=order_story(journal.messages), context=context)


def _run_to_the_end(driver: ReplayDriver, end_ns: int, progress: Progress) -> None:
    market = driver.desk.market
    begun = market.now_ns
    task = progress.add_task("working the order", total=end_ns - begun)
    while market.now_ns < end_ns + _AFTER_END_NS:
        driver.run_until(market.now_ns + NS_PER_MINUTE)
        progress.update(task, completed=market.now_ns - begun)
        if any(message.event_type == "trade_executed" for message in driver.journal.messages[-50:]):
            break


def _window(recorded: RecordedTape, request: ReplayRequest) -> tuple[int, int]:
    about = recorded.tape.metadata
    zone = ZoneInfo(_ZONES.get(recorded.listing.instrument.calendar, "UTC"))
    start_ns = _moment(request.start, recorded, zone, "start")
    end_ns = _moment(request.end, recorded, zone, "end")
    if end_ns <= start_ns:
        raise InvalidOrder(
            f"end {request.end} is not after start {request.start}",
            field="end",
            value=request.end,
            expected="a time after --start",
        )
    for name, moment in (("start", start_ns), ("end", end_ns)):
        if not about.first_time_ns <= moment <= about.last_time_ns:
            first, last = (
                datetime.fromtimestamp(edge // NS_PER_SECOND, zone).strftime("%H:%M:%S")
                for edge in (about.first_time_ns, about.last_time_ns)
            )
            raise InvalidOrder(
                f"{name} {getattr(request, name)} is outside the tape, which runs from {first} to {last} {zone.key}",
                field=name,
                value=getattr(request, name),
                expected=f"{first} to {last}",
            )
    return start_ns, end_ns


def _moment(text: str, recorded: RecordedTape, zone: ZoneInfo, field: str) -> int:
    """UTC ns of `HH:MM[:SS]` exchange time on the day of the tape's first row, or of an ISO-8601 time."""
    if "T" in text:
        return from_iso(text, field=field)
    try:
        clock = time.fromisoformat(text)
    except ValueError:
        raise InvalidInput(
            f"{field} {text!r} is not a time of day", field=field, value=text, expected="HH:MM, HH:MM:SS or ISO-8601"
        ) from None
    day = datetime.fromtimestamp(recorded.tape.metadata.first_time_ns // NS_PER_SECOND, zone).date()
    moment = int(datetime.combine(day, clock, zone).timestamp()) * NS_PER_SECOND
    # A session that begins in the evening carries the next day's clock times.
    return moment if moment >= recorded.tape.metadata.first_time_ns else moment + 24 * 60 * NS_PER_MINUTE


def _listing(recorded: RecordedTape, queue_model: QueueModel, start_ns: int) -> ReplayListing:
    instrument, about = recorded.listing.instrument, recorded.tape.metadata
    session = session_at_or_after(instrument.calendar, start_ns)
    open_ns, close_ns = session or (about.first_time_ns, about.last_time_ns)
    venue = recorded.listing.venues[0] if recorded.listing.venues else _unnamed_venue(instrument)
    open_ns = min(open_ns, start_ns)
    return ReplayListing(
        instrument=_with_estimates(replace(instrument, venues=(venue.venue_id,)), recorded.tape, open_ns, close_ns),
        tape=recorded.tape,
        venue=venue,
        queue_model=queue_model,
        open_ns=open_ns,
        close_ns=close_ns,
    )


def _curve(request: ReplayRequest, listing: ReplayListing) -> VolumeCurve | None:
    """The volume curve of the 20 sessions before the tape's; None without `--history`."""
    if request.history is None:
        return None
    assert listing.open_ns is not None
    assert listing.close_ns is not None
    calendar = listing.instrument.calendar
    daily = read_volumes(request.history, columns_of(request.history), calendar=calendar, bin_seconds=_CURVE_SECONDS)
    return curve_before(daily, (listing.open_ns, listing.close_ns), days=_CURVE_DAYS).curve


def _with_estimates(instrument: Instrument, tape: Tape, open_ns: int, close_ns: int) -> Instrument:
    """Fills in daily volume and volatility, measured on the tape's part of the session, where nobody gave them."""
    about = tape.metadata
    first_ns, last_ns = max(open_ns, about.first_time_ns), min(close_ns, about.last_time_ns)
    quotes = tape.quotes(first_ns, last_ns, limit=_ALL_ROWS)
    quotes = quotes[(quotes["bid_ticks"] != NO_PRICE) & (quotes["ask_ticks"] != NO_PRICE)]
    quotes = quotes[quotes["bid_ticks"] < quotes["ask_ticks"]]
    mids = (quotes["bid_ticks"] + quotes["ask_ticks"]) / 2
    traded = float(tape.trades(first_ns, last_ns, limit=_ALL_ROWS)["quantity"].sum(dtype="int64"))
    volume = instrument.average_daily_volume
    if volume is None and traded > 0:
        lots = session_estimates.daily_volume(traded, (last_ns - first_ns) / (close_ns - open_ns))
        volume = instrument.lots_to_quantity(round(lots))
    volatility = instrument.daily_volatility
    if volatility is None:
        volatility = session_estimates.daily_volatility(quotes["time_ns"], mids, session_ns=close_ns - open_ns)
    return replace(instrument, average_daily_volume=volume, daily_volatility=volatility)


def _unnamed_venue(instrument: Instrument) -> Venue:
    name = f"{instrument.name}, as recorded"
    return Venue(venue_id=VenueId("TAPE"), name=name, venue_type=VenueType.PRIMARY_EXCHANGE)


def _caveats(
    recorded: RecordedTape, request: ReplayRequest, reference: RecordedReference, listing: ReplayListing, start_ns: int
) -> tuple[str, ...]:
    level = recorded.tape.metadata.level
    curve = reference.volume_curve(listing.instrument.instrument_id, start_ns)
    lines = [
        "The tape does not react to our orders: impact is underestimated, most of all above 1 % participation.",
        "Orders fill as docs/fill-rules.md states; "
        + (
            "queue position is exact, order by order."
            if level == 3
            else f"queue position is estimated, model {request.queue_model}."
        ),
        f"Volume curve: {curve.name}.",
    ]
    given, used = recorded.listing.instrument, listing.instrument
    if given.average_daily_volume is None and used.average_daily_volume is not None:
        lines.append(
            f"No history was given: daily volume {used.average_daily_volume:,.0f} is this tape's own, scaled to a "
            "session. That looks ahead; only the pre-trade estimate and the grade use it."
        )
    if given.daily_volatility is None and used.daily_volatility is not None:
        lines.append(
            f"No history was given: daily volatility {used.daily_volatility:.2%} is this tape's own, "
            "from one-minute mids."
        )
    if not recorded.listing.venues:
        lines.append("No venue was named: fees are zero and the venue is called TAPE.")
    return tuple(lines)


def _command(request: ReplayRequest) -> str:
    parts = [f"bestex replay --tape {request.tape.name} --side {request.side} --quantity {request.quantity}"]
    parts += [f"--start {request.start} --end {request.end}"]
    for name in ("algorithm", "style", "rate", "limit"):
        if (value := getattr(request, name)) is not None:
            parts.append(f"--{name} {value}")
    return " ".join(parts)


def _say(story: OrderStory, target: Path) -> None:
    console = Console(highlight=False, soft_wrap=True)
    trade = story.trade_executed
    console.print(
        f"{trade.execution.side} {trade.execution.executed_quantity:,f} of {trade.execution.requested_quantity:,f} "
        f"{trade.execution.instrument_id} at {trade.execution.average_fill_price or '-'}"
    )
    quality = trade.execution_quality
    console.print(
        f"shortfall {_bps(quality.implementation_shortfall_bps)} (positive = worse), "
        f"of it impact {_bps(quality.market_impact_bps)}, timing {_bps(quality.timing_cost_bps)}"
    )
    grade = story.graded.quality_grade if story.graded else None
    console.print(f"grade {grade or 'none'}   completed {to_iso(trade.timing.completion_time_ns)}")
    console.print(f"report {target}")


def _bps(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.2f} bps"


def _choice(kind: Any, text: str, field: str) -> Any:
    try:
        return kind(text.upper())
    except ValueError:
        options = ", ".join(kind)
        raise InvalidInput(
            f"{field} {text!r} is not known", field=field, value=text, expected=f"one of {options}"
        ) from None


def _decimal(text: str, field: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise InvalidInput(f"{field} {text!r} is not a number", field=field, value=text, expected="a number") from None
