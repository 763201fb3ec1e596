from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

version: str

# --- decision ---
NO_PRICE: Final[int]
NEVER: Final[int]
UNLIMITED: Final[int]

class DecisionEngine:
    """The decision step of one parent order: its parameters, its curve and its state.

    Codes are those of `bestex.native.decision`; prices ticks, quantities lots, times UTC nanoseconds, None = none.
    The curve is cumulative, one value per slice, never falling, its last value exactly 1.

    Raises:
        ValueError: a parameter out of its range; the message names it, the value seen and the range.
    """

    def __init__(
        self,
        *,
        algorithm: int,
        style: int,
        side: int,
        quantity: int,
        start: int,
        end: int,
        slices: int,
        curve: NDArray[np.float64],
        limit: int | None = None,
        participation_rate: float = 1.0,
        child_quantity_max: int | None = None,
        follows_price: bool = False,
    ) -> None: ...
    def decide(
        self,
        filled: int,
        live: int,
        cancel_pending: bool,
        now: int,
        bid: int | None,
        ask: int | None,
        bid_quantity: int,
        ask_quantity: int,
        others_volume: int,
        wake: int,
    ) -> tuple[tuple[tuple[int, int, int | None], ...], int | None, int | None, int]:
        """(intents, wake_at, wake_at_volume, target); an intent is (kind, quantity, price). None = not to be woken."""

    def decide_rows(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Many steps in a row: (steps, 10) inputs, the arguments of `decide` in their order, with NO_PRICE for None.

        Returns (steps, 24): count, three times (kind, quantity, price), wake_at, wake_at_volume, target, the state's
        seven, and `price_watch` with NO_PRICE for None. An intent not sent is (-1, 0, NO_PRICE); times and volumes not
        asked for are NEVER and UNLIMITED.
        """

    def step_times_ns(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Wall time of each step from the present state, which is left as it is. For benchmarks."""

    @property
    def price_watch(self) -> tuple[int, int | None, int, bool]:
        """What the last `decide` asked of best prices: a `bestex.native.decision.PriceWatch`."""

    @property
    def state(self) -> tuple[int, int, bool, int, int, int, int]:
        """(slice, crossing, done, replacing, posted, volume_seen, next_child_at), to be saved and set again."""

    @state.setter
    def state(self, saved: tuple[int, int, bool, int, int, int, int]) -> None: ...
    @property
    def done(self) -> bool:
        """Nothing more will be sent and nothing is live."""

# --- end of decision ---

# --- replay ---

class TapeError(ValueError):
    """args: message, field, value; the last two empty when it is the file as a whole."""

class TapeBuilder:
    def __init__(
        self,
        *,
        path: str,
        instrument_id: str,
        tick_size: str,
        lot_size: str,
        day: str,
        level: int,
        refuse_crossed: bool,
    ) -> None: ...
    def add_l3(self, rows: NDArray[np.uint8]) -> None: ...
    def add_l2(self, rows: NDArray[np.uint8]) -> None: ...
    def finish(self) -> None: ...

class Tape:
    def __init__(self, path: str) -> None: ...
    def metadata(self) -> dict[str, Any]: ...
    def quotes(self, start_ns: int, end_ns: int, limit: int, every_row: bool) -> NDArray[np.uint8]: ...
    def trades(self, start_ns: int, end_ns: int, limit: int) -> NDArray[np.uint8]: ...

class BatchReplay:
    def __init__(
        self,
        tape: Tape,
        *,
        feed_delay_ns: int,
        order_delay_ns: int,
        report_delay_ns: int,
        maker_fee: int,
        taker_fee: int,
        queue_model: int,
        keep_fills: bool,
        parents: NDArray[np.uint8],
        curves: NDArray[np.float64],
    ) -> None: ...
    def advance(self, rows: int) -> bool: ...
    def parents(self) -> NDArray[np.uint8]: ...
    def worlds(self) -> NDArray[np.uint8]: ...
    def fills(self) -> NDArray[np.uint8]: ...

ReplayReportRow: TypeAlias = tuple[int, int, int, int, int, int, int, int, int, int, bool]

class InteractiveReplay:
    def __init__(self, tape: Tape, *, report_delay_ns: int, queue_model: int, close_ns: int) -> None: ...
    def submit(self, key: int, kind: int, side: int, quantity: int, price: int, arrives_ns: int) -> None: ...
    def cancel(self, key: int, arrives_ns: int) -> None: ...
    def amend(self, key: int, quantity: int, price: int, arrives_ns: int) -> None: ...
    @property
    def now_ns(self) -> int: ...
    def snapshot(self) -> tuple[Any, ...]: ...
    def depth(self, side: int, levels: int) -> list[tuple[int, int, int]]: ...
    def open_order(self, key: int) -> tuple[int, int]: ...

def advance_replays(replays: list[InteractiveReplay], until_ns: int) -> tuple[int, list[list[ReplayReportRow]]]: ...

# --- end of replay ---

# --- market ---
MatchEventRow = tuple[int, int, int, int, int, int, int, int, int]
QuoteRow = tuple[int, int | None, int | None, int, int]
OwnReportRow = tuple[int, int, int, int, int, int, int, int, int | None, int | None, int | None]

class MatchingEngine:
    """A price-time order book that matches; see `native/include/bestex/matching.hpp`.

    Operations are rows of 24 bytes, the layout of `bestex.native.matching.OPERATION`, viewed as uint8.
    """

    def __init__(self, lowest_price: int, levels: int) -> None: ...
    def apply(self, operations: NDArray[np.uint8]) -> list[MatchEventRow]:
        """Each event: (kind, order, taker, price_half_ticks, quantity, remaining, side, reason, is_hidden)."""

    def run(self, operations: NDArray[np.uint8], with_digest: bool = True) -> tuple[int, int, int, int]:
        """(events, trades, lots traded, digest of all events)."""

    def set_midpoint(self, half_ticks: int | None) -> None:
        """Where pegs stand from now on; None = nowhere."""

    def use_own_midpoint(self) -> None: ...
    @property
    def best_bid(self) -> int | None: ...
    @property
    def best_ask(self) -> int | None: ...
    @property
    def live_orders(self) -> int: ...
    def open_quantity(self, order: int) -> int: ...
    def quantity_ahead(self, order: int) -> int | None: ...
    def depth(self, side: int, levels: int) -> list[tuple[int, int, int]]:
        """(price, displayed quantity, orders), best first; side +1 bids, -1 asks."""

class GeneratedMarket:
    """One instrument's generated session; see `native/include/bestex/generated_market.hpp` for the parameters' units.

    Raises:
        ValueError: a parameter out of its range; the message names it.
    """

    def __init__(
        self,
        *,
        seed: int,
        open_ns: int,
        close_ns: int,
        opening_price: float,
        daily_volatility: float,
        instants_per_day: float,
        half_spread: float,
        order_size: float,
        market_order_size: float,
        orders_per_side: float,
        average_daily_volume: float,
        impact: float,
        dark_orders_per_day: float,
        dark_order_size: float,
        venue_shares: list[float],
        latency: list[int],
    ) -> None: ...
    def run_until(self, until: int) -> None: ...
    def submit(
        self, handle: int, venue: int, side: int, kind: int, limit: int | None, quantity: int, time: int
    ) -> None: ...
    def cancel(self, handle: int, venue: int, time: int) -> None: ...
    def take_reports(self, until: int) -> list[OwnReportRow]:
        """(received, venue_time, handle, kind, reason, liquidity, venue, lots, price_half_ticks, bid, ask)."""

    @property
    def has_own_activity(self) -> bool: ...
    @property
    def reference_price(self) -> float:
        """The hidden price that others quote around, in ticks, our impact included. For tests and calibration only."""

    def quote(self) -> QuoteRow: ...
    def venue_quote(self, venue: int) -> QuoteRow: ...
    def counters(self, now: int) -> dict[str, int | None]: ...
    def depth(self, venue: int, side: int, levels: int) -> list[tuple[int, int, int]]: ...
    def quantity_ahead(self, handle: int, venue: int) -> int | None: ...
    def quotes(self, start: int, end: int, limit: int) -> list[QuoteRow]: ...
    def trades(self, start: int, end: int, limit: int) -> list[tuple[int, int, int, int, int, bool]]:
        """(time, price_half_ticks, lots, venue, aggressor's sign, is_ours)."""

    def bars(
        self, start: int, end: int, width: int
    ) -> list[tuple[int, int, int | None, int | None, int | None, int | None, int, int]]: ...
    def digest(self) -> int: ...

def advance_markets(markets: list[GeneratedMarket], until: int) -> int:
    """Runs all to `until` or to the first instant at which a report for us arrives; returns that time."""

def generated_volume_share(session_fraction: float) -> float: ...

# --- end of market ---

# --- pretrade ---
class PretradeMarket:
    """What is believed of one market, for pricing candidates; the fields of `bestex.quant.candidates.MarketEstimates`.

    Raises:
        ValueError: a curve of fewer than two points or of unequal lengths, a volume or tick size not above 0.
    """

    def __init__(
        self,
        *,
        price: float,
        spread: float,
        tick_size: float,
        touch_quantity: float,
        daily_volume: float,
        daily_volatility: float,
        session_minutes: float,
        session_fraction: float,
        taker_fee: float,
        maker_fee: float,
        dark_fee: float,
        drift_per_day: float,
        volume_error: float,
        turnover_days: float,
        permanent: float,
        permanent_se: float,
        temporary: float,
        temporary_se: float,
        temporary_exponent: float,
        temporary_exponent_se: float,
        square_root: float,
        adverse_selection: float,
        adverse_selection_se: float,
        dark_fill_share: float,
        fractions: NDArray[np.float64],
        cumulative: NDArray[np.float64],
        source: str,
    ) -> None: ...
    def expected_outcomes(self, candidates: NDArray[np.float64], order_quantity: float) -> NDArray[np.float64]:
        """(candidates, 8): algorithm, style, window minutes, slices, kappa T, rate, dark ratio, limit distance.

        Codes are those of `bestex.native.decision`; NaN = no rate, no limit. Returns (candidates, 19): expected cost,
        its parts spread, temporary, permanent, fees, drift, the cost's sd, the model's error sd, its five parts,
        minutes, completion probability, executed fraction, mean and peak participation rate, passive share.

        Raises:
            ValueError: a candidate out of range, a quantity not positive, a window without volume.
        """

# --- end of pretrade ---

# --- client json -----------------------------------------------------------------------------------------------------

def with_iso_times(json: bytes) -> bytes:
    """JSON whose `"<name>_ns":<integer or null>` became `"<name>":"<ISO-8601 UTC>"` or null.

    Names that end in latency_ns, and values that are no 64-bit integer, stay. `json` has no blanks around its colons.
    """

# --- end of client json ---
