"""The market's time and consolidated snapshots, from the process that keeps them to the others."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import structlog

from bestex.domain.errors import BusUnavailable, NotFound, StaleMarketData
from bestex.domain.fills import VenueReport
from bestex.domain.instruments import Instrument
from bestex.domain.market import Bar, Book, MarketSnapshot, Quote, Trade
from bestex.domain.orders import ChildOrder
from bestex.domain.venues import Venue
from bestex.messages.streams import MARKET
from bestex.ports import Bus, Market, Outgoing

log = structlog.get_logger()

_PERIOD_SECONDS = 0.05


class MarketState(msgspec.Struct, frozen=True, kw_only=True):
    """One instant of the market."""

    now_ns: int
    lag_ns: int  # how far the market is behind its clock
    snapshots: list[MarketSnapshot]


_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder(MarketState)


class MarketFeed:
    """Publishes the market's state a few times a second, whatever the market does."""

    def __init__(self, market: Market, bus: Bus, instance: str, lag_ns: Callable[[], int]) -> None:
        self._market, self._bus, self._instance, self._lag_ns = market, bus, instance, lag_ns
        self._number = 0

    async def run(self) -> None:
        while True:
            try:
                await self.publish()
            except BusUnavailable as error:
                log.warning("market feed waits for the bus", error=error.message)
            await asyncio.sleep(_PERIOD_SECONDS)

    async def publish(self) -> None:
        market = self._market
        state = MarketState(
            now_ns=market.now_ns,
            lag_ns=self._lag_ns(),
            snapshots=[market.snapshot(instrument.instrument_id) for instrument in market.instruments()],
        )
        self._number += 1
        record = Outgoing(key=MARKET, body=_ENCODER.encode(state), headers={}, sequence=self._number)
        await self._bus.publish(MARKET, 0, f"market-{self._instance}", [record])


class RemoteMarket:
    """`Market` for reading its time and snapshots elsewhere. Nothing can be sent to it: children travel as messages."""

    def __init__(self, calendar: Market, bus: Bus, max_age_seconds: float = 10.0) -> None:
        """`calendar`: a market of the same kind, for what does not change: instruments, venues, sessions."""
        self.now_ns = 0
        self.lag_ns = 0
        self._calendar, self._bus = calendar, bus
        self._max_age_seconds = max_age_seconds
        self._snapshots: dict[str, MarketSnapshot] = {}
        self._heard = float("-inf")
        self._first = asyncio.Event()

    async def run(self) -> None:
        position = await self._bus.end(MARKET, 0)
        while True:
            try:
                async for group in self._bus.read(MARKET, 0, after=position):
                    position = group[-1].position
                    state = _DECODER.decode(group[-1].body)
                    self.now_ns, self.lag_ns = state.now_ns, state.lag_ns
                    self._snapshots = {snapshot.instrument_id: snapshot for snapshot in state.snapshots}
                    self._heard = asyncio.get_running_loop().time()
                    self._first.set()
            except BusUnavailable as error:
                log.warning("bus lost, waiting for the market", error=error.message)
                await asyncio.sleep(0.2)

    async def ready(self) -> None:
        """Return when the first state has come."""
        await self._first.wait()

    @property
    def age_seconds(self) -> float:
        """Since the last state came; infinite before the first."""
        return asyncio.get_running_loop().time() - self._heard

    def snapshot(self, instrument_id: str) -> MarketSnapshot:
        """Raises StaleMarketData when nothing has come for too long."""
        if self.age_seconds > self._max_age_seconds:
            raise StaleMarketData(
                f"nothing has come from the market for {self._max_age_seconds:g} s",
                field="instrument_id",
                value=instrument_id,
                expected="a running market process",
            )
        if instrument_id not in self._snapshots:
            raise NotFound(
                f"there is no instrument {instrument_id} in the market",
                field="instrument_id",
                value=instrument_id,
                expected=", ".join(self._snapshots),
            )
        return self._snapshots[instrument_id]

    def instruments(self) -> Sequence[Instrument]:
        return self._calendar.instruments()

    def venues(self) -> Sequence[Venue]:
        return self._calendar.venues()

    def session(self, instrument_id: str, time_ns: int) -> tuple[int, int] | None:
        return self._calendar.session(instrument_id, time_ns)

    def submit(self, child: ChildOrder, at_ns: int) -> None:
        raise AssertionError("a child order travels as a message")

    def cancel(self, child_order_id: str, at_ns: int) -> None:
        raise AssertionError("a cancel travels as a message")

    def advance(self, until_ns: int) -> Sequence[VenueReport]:
        raise AssertionError("another process keeps the time")

    def quotes(self, instrument_id: str, start_ns: int, end_ns: int, limit: int = 10_000) -> Sequence[Quote]:
        raise self._elsewhere("quotes")

    def trades(self, instrument_id: str, start_ns: int, end_ns: int, limit: int = 10_000) -> Sequence[Trade]:
        raise self._elsewhere("trades")

    def bars(self, instrument_id: str, start_ns: int, end_ns: int, bar_seconds: int) -> Sequence[Bar]:
        raise self._elsewhere("bars")

    def book(self, instrument_id: str, levels: int = 10) -> Book:
        raise self._elsewhere("book")

    def _elsewhere(self, what: Any) -> NotFound:
        return NotFound(f"{what} are kept by the market process; ask the gateway", field="target", value=what)
