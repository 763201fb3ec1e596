"""Builds an instruction: checks everything it reads and refuses with the field, the value and what would be right."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from bestex.domain.errors import InvalidOrder
from bestex.domain.instruments import Instrument
from bestex.domain.orders import Algorithm, ExecutionStyle, Urgency
from bestex.domain.time import NS_PER_MINUTE
from bestex.ports import ReferenceData
from bestex.services.algorithm.config import AlgorithmConfig
from bestex.services.algorithm.given_values import flag, number, share, whole
from bestex.services.algorithm.instruction import KAPPA_T, KAPPA_T_MAX, STYLES, Instruction


def build_instruction(
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
    """The checked instruction; what the desk changed of what was asked is in its notes. Raises InvalidOrder."""
    notes: list[str] = []
    start, end = _window(reference, instrument, config, now_ns, start_ns, end_ns, parameters, notes)
    rate = _rate(algorithm, config, parameters, rate_max, notes)
    kappa_t = _kappa_t(urgency, parameters)
    slices = whole(parameters, "slices", 1, config.slices_max)
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
    ratio = number(parameters, "dark_pool_ratio", 0.0, 1.0)
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
        dark_ratio=0.0 if no_dark else share(dark_ratio if ratio is None else ratio, "dark_pool_ratio"),
        venue_weights={venue: weight for venue, weight in sorted((weights or {}).items()) if weight > 0},
        venue_preferences=tuple(preferences),
        venue_exclusions=tuple(exclusions),
        no_trade_zones=_zones(zones, start, end),
        follows_price=flag(parameters, "follows_price"),
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
    minutes = number(parameters, "time_horizon_minutes", 0.0, 60.0 * 24 * 7)
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
    asked = number(parameters, "participation_rate", 0.0, 1.0)
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
        value = number(parameters, name, 0.0, KAPPA_T_MAX)
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
