"""How one parent order is to be worked: the one form in which requests, orders and selections reach the algorithms.

Every builder checks everything it reads and refuses with the field, the value and what would be right.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from bestex.domain.errors import InvalidOrder
from bestex.domain.instruments import Instrument
from bestex.domain.orders import Algorithm, ExecutionStyle, ParentOrder, Side, Urgency
from bestex.domain.time import NS_PER_MINUTE
from bestex.messages.execution import ExecutionRequest
from bestex.messages.strategy import ExecutionStrategy
from bestex.ports import ReferenceData
from bestex.services.algorithm.config import AlgorithmConfig

# Almgren-Chriss urgency kappa x T: 0 is a TWAP, 1 mild, 3 front-loaded, 8 nearly at once.
KAPPA_T = {Urgency.LOW: 1.0, Urgency.NORMAL: 3.0, Urgency.HIGH: 5.0, Urgency.URGENT: 8.0}
KAPPA_T_MAX = 50.0
STYLES = {
    Urgency.LOW: ExecutionStyle.PASSIVE,
    Urgency.NORMAL: ExecutionStyle.BALANCED,
    Urgency.HIGH: ExecutionStyle.BALANCED,
    Urgency.URGENT: ExecutionStyle.AGGRESSIVE,
}


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """Everything an algorithm needs to know. Times are inside one session; rates 0..1, ours over all volume."""

    algorithm: Algorithm
    style: ExecutionStyle
    start_ns: int
    end_ns: int
    participation_rate: float  # the target of PARTICIPATION_RATE, the cap of the others
    kappa_t: float  # IMPLEMENTATION_SHORTFALL only
    slices: int
    last_end_ns: int | None = None  # when the order expires; None = with this window
    price_min: Decimal | None = None
    price_max: Decimal | None = None
    child_quantity_max: Decimal | None = None
    child_quantity_min: Decimal | None = None
    dark_ratio: float = 0.0  # share of what is posted that rests at the mid on a dark venue
    venue_weights: Mapping[str, float] = field(default_factory=dict)  # for what is posted; empty = by displayed size
    venue_preferences: tuple[str, ...] = ()
    venue_exclusions: tuple[str, ...] = ()
    no_trade_zones: tuple[tuple[int, int], ...] = ()  # [start_ns, end_ns), sorted, not overlapping
    notes: tuple[str, ...] = ()  # what the desk changed of what was asked, in words

    @property
    def deadline_ns(self) -> int:
        """When the order expires: the end of this window, or later where others may follow it."""
        return max(self.end_ns, self.last_end_ns or self.end_ns)

    def limit(self, side: Side) -> Decimal | None:
        """The worst price: a buy's ceiling, a sell's floor."""
        return self.price_max if side is Side.BUY else self.price_min

    def from_now(self, now_ns: int, end_ns: int | None = None) -> "Instruction":
        """What is left of it from `now_ns`, as fast as before: kappa stays, so kappa x T shrinks with the window."""
        start, end = max(now_ns, self.start_ns), end_ns or self.end_ns
        part = (end - start) / (self.end_ns - self.start_ns)
        return replace(
            self,
            start_ns=start,
            end_ns=end,
            kappa_t=min(KAPPA_T_MAX, self.kappa_t * part),
            slices=max(1, math.ceil(self.slices * part - 1e-9)),
            no_trade_zones=tuple((max(low, start), high) for low, high in self.no_trade_zones if high > start),
        )

    def parameters(self) -> dict[str, object]:
        """As execution_planned shows them."""
        shown: dict[str, object] = {
            "participation_rate": self.participation_rate,
            "slices": self.slices,
            "dark_pool_ratio": self.dark_ratio,
        }
        if self.algorithm is Algorithm.IMPLEMENTATION_SHORTFALL:
            shown["kappa_T"] = self.kappa_t
        if self.notes:
            shown["notes"] = list(self.notes)
        return shown


def from_request(
    request: ExecutionRequest, reference: ReferenceData, config: AlgorithmConfig, now_ns: int
) -> Instruction:
    """The instruction of a plan or start request.

    Raises:
        InvalidOrder: for a parameter or constraint that cannot be met.
        NotFound: for an instrument that nobody knows.
    """
    instrument = reference.instrument(request.instrument_id)
    instrument.quantity_to_lots(request.quantity)
    given = request.parameters
    custom = dict(given.custom_parameters)
    parameters = {
        **custom,
        **{
            name: getattr(given, name)
            for name in ("participation_rate", "time_horizon_minutes", "risk_aversion")
            if getattr(given, name) is not None
        },
    }
    limits = request.constraints.price_limits
    for bound, price in (("min", limits.min), ("max", limits.max)):
        if price is not None:
            instrument.price_to_ticks(price, field=f"constraints.price_limits.{bound}")
    return _build(
        reference,
        instrument,
        config,
        now_ns,
        algorithm=_algorithm(request.algorithm),
        style=request.execution_style,
        urgency=Urgency.NORMAL,
        parameters=parameters,
        start_ns=request.start_time_ns,
        end_ns=request.target_completion_time_ns,
        price_min=limits.min,
        price_max=limits.max,
        child_quantity_max=request.constraints.max_order_size,
        child_quantity_min=request.constraints.min_order_size,
        dark_ratio=request.constraints.dark_pool_ratio,
        preferences=request.constraints.venue_preferences,
        exclusions=request.constraints.venue_exclusions,
        zones=request.constraints.no_trade_zones,
    )


def from_order(order: ParentOrder, reference: ReferenceData, config: AlgorithmConfig, now_ns: int) -> Instruction:
    """The instruction of an order that names its algorithm. Raises InvalidOrder."""
    wanted = order.instructions
    assert wanted.algorithm is not None, "an order without an algorithm waits for its selection"
    instrument = reference.instrument(order.instrument_id)
    is_buy = order.side is Side.BUY
    return _build(
        reference,
        instrument,
        config,
        now_ns,
        algorithm=wanted.algorithm,
        style=wanted.execution_style,
        urgency=wanted.urgency,
        parameters=wanted.parameters or {},
        start_ns=wanted.start_time_ns,
        end_ns=wanted.end_time_ns,
        price_min=None if is_buy else order.price,
        price_max=order.price if is_buy else None,
        rate_max=wanted.max_participation_rate,
        child_quantity_min=wanted.min_fill_size,
        exclusions=wanted.venue_restrictions,
        no_dark=wanted.dark_pool_preference is False,
    )


def from_strategy(
    strategy: ExecutionStrategy, order: ParentOrder, reference: ReferenceData, config: AlgorithmConfig, now_ns: int
) -> Instruction:
    """The instruction of a selection, within what the client's own order allows. Raises InvalidOrder."""
    wanted, controls, window = order.instructions, strategy.risk_controls, strategy.time_allocation
    instrument = reference.instrument(order.instrument_id)
    style = strategy.parameters.get("execution_style")
    rates = [rate for rate in (wanted.max_participation_rate, controls.max_participation_rate) if rate is not None]
    maxima = [size for size in (controls.max_child_quantity,) if size is not None]
    is_buy = order.side is Side.BUY
    limits = [
        price for price in (order.price, _on_grid(controls.price_limit, instrument, order.side)) if price is not None
    ]
    limit = (min(limits) if is_buy else max(limits)) if limits else None
    return _build(
        reference,
        instrument,
        config,
        now_ns,
        algorithm=_algorithm(strategy.algorithm),
        style=wanted.execution_style or (None if style is None else _style(style)),
        urgency=wanted.urgency,
        parameters={key: value for key, value in strategy.parameters.items() if key != "execution_style"},
        start_ns=max(window.start_time_ns, now_ns),
        end_ns=window.end_time_ns,
        price_min=None if is_buy else limit,
        price_max=limit if is_buy else None,
        rate_max=min(rates) if rates else None,
        child_quantity_max=min(maxima) if maxima else None,
        child_quantity_min=wanted.min_fill_size,
        weights=strategy.venue_allocation,
        exclusions=wanted.venue_restrictions,
        no_dark=wanted.dark_pool_preference is False,
    )


def _build(
    reference: ReferenceData,
    instrument: Instrument,
    config: AlgorithmConfig,
    now_ns: int,
    *,
    algorithm: Algorithm,
    style: ExecutionStyle | None,
    urgency: Urgency,
    parameters: Mapping[str, object],
    start_ns: int | None,
    end_ns: int | None,
    price_min: Decimal | None,
    price_max: Decimal | None,
    rate_max: float | None = None,
    child_quantity_max: Decimal | None = None,
    child_quantity_min: Decimal | None = None,
    dark_ratio: float = 0.0,
    weights: Mapping[str, float] | None = None,
    preferences: Iterable[str] = (),
    exclusions: Iterable[str] = (),
    zones: Iterable[tuple[int, int]] = (),
    no_dark: bool = False,
) -> Instruction:
    notes: list[str] = []
    start, end = _window(reference, instrument, config, now_ns, start_ns, end_ns, parameters, notes)
    rate = _rate(algorithm, config, parameters, rate_max, notes)
    kappa_t = _kappa_t(urgency, parameters)
    slices = _whole(parameters, "slices", 1, config.slices_max)
    if price_min is not None and price_max is not None and price_min > price_max:
        raise InvalidOrder(
            f"price_limits.min {price_min} is above price_limits.max {price_max}",
            field="price_limits.min",
            value=price_min,
            expected=f"at most {price_max}",
        )
    for name, quantity in (("max_order_size", child_quantity_max), ("min_order_size", child_quantity_min)):
        if quantity is not None and quantity < instrument.lot_size:
            raise InvalidOrder(
                f"{name} {quantity} is less than one lot",
                field=name,
                value=quantity,
                expected=f"at least {instrument.lot_size}",
            )
    if child_quantity_max and child_quantity_min and child_quantity_min > child_quantity_max:
        raise InvalidOrder(
            f"min_order_size {child_quantity_min} is above max_order_size {child_quantity_max}",
            field="min_order_size",
            value=child_quantity_min,
            expected=f"at most {child_quantity_max}",
        )
    ratio = _number(parameters, "dark_pool_ratio", 0.0, 1.0)
    venues = {venue.venue_id: venue for venue in reference.venues(instrument.instrument_id)}
    for name, listed in (("venue_preferences", preferences), ("venue_exclusions", exclusions)):
        for venue in listed:
            if venue not in venues:
                raise InvalidOrder(
                    f"venue {venue!r} does not trade {instrument.instrument_id}",
                    field=name,
                    value=venue,
                    expected="one of " + ", ".join(sorted(venues)),
                )
    return Instruction(
        algorithm=algorithm,
        style=style or STYLES[urgency],
        start_ns=start,
        end_ns=end,
        participation_rate=rate,
        kappa_t=kappa_t,
        slices=slices or max(1, min(config.slices_max, (end - start) // config.slice_ns)),
        price_min=price_min,
        price_max=price_max,
        child_quantity_max=child_quantity_max,
        child_quantity_min=child_quantity_min,
        dark_ratio=0.0 if no_dark else _share(dark_ratio if ratio is None else ratio, "dark_pool_ratio"),
        venue_weights={venue: weight for venue, weight in sorted((weights or {}).items()) if weight > 0},
        venue_preferences=tuple(preferences),
        venue_exclusions=tuple(exclusions),
        no_trade_zones=_zones(zones, start, end),
        notes=tuple(notes),
    )


def _window(
    reference: ReferenceData,
    instrument: Instrument,
    config: AlgorithmConfig,
    now_ns: int,
    start_ns: int | None,
    end_ns: int | None,
    parameters: Mapping[str, object],
    notes: list[str],
) -> tuple[int, int]:
    wanted = max(now_ns, start_ns or now_ns)
    session = reference.session(instrument.instrument_id, wanted)
    if session is None:
        raise InvalidOrder(
            f"{instrument.instrument_id} has no session at or after the start", field="start_time", value=wanted
        )
    opens, closes = session
    start = max(wanted, opens)
    if start > wanted:
        notes.append("waits for the open")
    minutes = _number(parameters, "time_horizon_minutes", 0.0, 60.0 * 24 * 7)
    if minutes == 0.0:
        raise InvalidOrder(
            "time_horizon_minutes 0 leaves no time", field="time_horizon_minutes", value=0, expected="more than 0"
        )
    ends = [end for end in (end_ns, None if minutes is None else start + round(minutes * NS_PER_MINUTE)) if end]
    end = min(ends) if ends else start + config.default_window_ns
    if end > closes:
        notes.append("ends at the session's close")
        end = closes
    if end <= start:
        raise InvalidOrder(
            "the end is not after the start: nothing could be worked",
            field="end_time",
            value=end,
            expected=f"a time after {start} and within the session that closes at {closes}",
        )
    return start, end


def _rate(
    algorithm: Algorithm,
    config: AlgorithmConfig,
    parameters: Mapping[str, object],
    rate_max: float | None,
    notes: list[str],
) -> float:
    asked = _number(parameters, "participation_rate", 0.0, 1.0)
    if asked == 0.0:
        raise InvalidOrder(
            "participation_rate 0 would never trade; 10 % is 0.10",
            field="participation_rate",
            value=0,
            expected="more than 0, at most 1",
        )
    if asked is None and rate_max is None and algorithm is Algorithm.PARTICIPATION_RATE:
        asked = config.participation_rate
    rate = min(rate for rate in (asked, rate_max, 1.0) if rate is not None)
    limit = config.guards.participation_rate_max
    if rate > limit:
        if asked is not None or rate_max is not None:
            notes.append(f"participation rate {rate} held to the desk's limit {limit}")
        rate = limit
    if algorithm is Algorithm.PARTICIPATION_RATE and rate >= 1:
        raise InvalidOrder(
            "PARTICIPATION_RATE at 1 leaves no volume of others to follow",
            field="participation_rate",
            value=rate,
            expected="less than 1",
        )
    return rate


def _kappa_t(urgency: Urgency, parameters: Mapping[str, object]) -> float:
    for name in ("kappa_T", "risk_aversion"):
        value = _number(parameters, name, 0.0, KAPPA_T_MAX)
        if value is not None:
            return value
    return KAPPA_T[urgency]


def _zones(zones: Iterable[tuple[int, int]], start: int, end: int) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for zone_start, zone_end in sorted(zones):
        if zone_end <= zone_start:
            raise InvalidOrder(
                "a no-trade zone ends before it starts",
                field="no_trade_zones",
                value=(zone_start, zone_end),
                expected="[start, end) with end after start",
            )
        low, high = max(zone_start, start), min(zone_end, end)
        if low >= high:
            continue
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    if sum(high - low for low, high in merged) >= end - start:
        raise InvalidOrder(
            "the no-trade zones leave no time to trade",
            field="no_trade_zones",
            value=merged,
            expected="zones that leave a part of the window free",
        )
    return tuple(merged)


def _number(parameters: Mapping[str, object], name: str, low: float, high: float) -> float | None:
    value = parameters.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)) or not math.isfinite(value):
        raise InvalidOrder(f"{name} {value!r} is not a number", field=name, value=value, expected="a number")
    if not low <= value <= high:
        raise InvalidOrder(
            f"{name} {value} is out of range", field=name, value=value, expected=f"from {low:g} to {high:g}"
        )
    return float(value)


def _whole(parameters: Mapping[str, object], name: str, low: int, high: int) -> int | None:
    value = _number(parameters, name, low, high)
    if value is not None and value != int(value):
        raise InvalidOrder(f"{name} {value} is not whole", field=name, value=value, expected="a whole number")
    return None if value is None else int(value)


def _share(value: float, name: str) -> float:
    if not 0 <= value <= 1:
        raise InvalidOrder(f"{name} {value} is not a share", field=name, value=value, expected="from 0 to 1")
    return float(value)


def _algorithm(name: str) -> Algorithm:
    try:
        return Algorithm(name)
    except ValueError:
        known = ", ".join(Algorithm)
        raise InvalidOrder(
            f"algorithm {name!r} is not known", field="algorithm", value=name, expected=f"one of {known}"
        ) from None


def _style(name: object) -> ExecutionStyle:
    try:
        return ExecutionStyle(str(name))
    except ValueError:
        known = ", ".join(ExecutionStyle)
        raise InvalidOrder(
            f"execution_style {name!r} is not known", field="execution_style", value=name, expected=f"one of {known}"
        ) from None


def _on_grid(price: Decimal | None, instrument: Instrument, side: Side) -> Decimal | None:
    """An estimated limit on the tick grid, rounded to the stricter side."""
    if price is None:
        return None
    rounding = ROUND_FLOOR if side is Side.BUY else ROUND_CEILING
    return (price / instrument.tick_size).to_integral_value(rounding) * instrument.tick_size
