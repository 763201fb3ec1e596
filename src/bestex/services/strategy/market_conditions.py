"""What kind of market an order meets: given by the client, or derived from the snapshot and the history."""

import math
from dataclasses import dataclass
from typing import Final

from bestex.domain.errors import InvalidInput
from bestex.domain.market import MarketSnapshot
from bestex.domain.time import NS_PER_MINUTE
from bestex.messages.strategy import MarketContext
from bestex.ports import VolumeCurve
from bestex.services.strategy.catalogue import CONDITIONS
from bestex.services.strategy.profile import OrderProfile

REGIMES: Final = ("LOW", "NORMAL", "HIGH")
TIMES_OF_DAY: Final = ("OPENING", "MORNING", "MIDDAY", "AFTERNOON", "CLOSING")

_SPREAD_HALF_SCORE_BPS = 10.0  # a spread this wide scores 0.5
_DEPTH_HALF_SCORE_ADV = 2e-5  # a touch of this share of the daily volume scores 0.5
_TREND_Z = 2.0  # session drift in standard deviations beyond which we speak of a trend
_HIGH_Z = 3.0
_WARM_UP_SHARE = 0.02  # of the day's volume; before it, the volume so far says nothing
_EDGE_MINUTES = 30.0


@dataclass(frozen=True, kw_only=True)
class MarketReading:
    """What the snapshot says in numbers; None where it cannot say.

    `volume_ratio`: session volume so far over what is usual by now. `drift_z`: mid against the session's
    time-weighted mean, in standard deviations of a driftless market; positive = risen.
    """

    spread_bps: float | None
    depth_adv: float | None  # mean displayed quantity at the touch over the average daily volume
    volume_ratio: float | None
    drift_z: float | None


def reading_of(
    profile: OrderProfile, market: MarketSnapshot, curve: VolumeCurve, daily_volatility: float
) -> MarketReading:
    """The numbers behind the context.

    For a driftless Brownian mid W, Var(W_t - mean of W over [0, t]) = sigma^2 t / 3; `drift_z` is scaled by it.
    """
    mid, spread = market.mid, market.spread
    adv = profile.instrument.average_daily_volume
    day_ns = profile.close_ns - profile.open_ns
    elapsed_ns = min(max(0, market.time_ns - profile.open_ns), day_ns)
    usual = float(adv) * curve.share(profile.open_ns, profile.open_ns + elapsed_ns) if adv and elapsed_ns else 0.0
    volume_ratio = None
    if adv and usual >= _WARM_UP_SHARE * float(adv):
        volume_ratio = float(market.cumulative_volume) / usual
    drift_z = None
    if mid is not None and market.mid_seconds > 60 and elapsed_ns > 0:
        mean = float(market.mid_time_integral / market.mid_seconds)
        scale = daily_volatility * math.sqrt(elapsed_ns / day_ns / 3)
        drift_z = (float(mid) / mean - 1) / scale
    depth = None
    if adv and (market.bid_quantity or market.ask_quantity):
        depth = float(market.bid_quantity + market.ask_quantity) / 2 / float(adv)
    return MarketReading(
        spread_bps=None if mid is None or spread is None else float(spread / mid) * 1e4,
        depth_adv=depth,
        volume_ratio=volume_ratio,
        drift_z=drift_z,
    )


def derived_context(profile: OrderProfile, reading: MarketReading) -> MarketContext:
    """The context as far as one snapshot can tell. Mean reversion and a LOW regime need a history: never derived.

    `liquidity_score` is the geometric mean of the scores of spread, displayed depth and volume that can be computed
    (0.5 where none can). `news_impact_score` is an inference from an unusual move on unusual volume: no news is read.
    """
    parts = []
    if reading.spread_bps is not None:
        parts.append(1 / (1 + max(0.0, reading.spread_bps) / _SPREAD_HALF_SCORE_BPS))
    if reading.depth_adv is not None:
        parts.append(reading.depth_adv / (reading.depth_adv + _DEPTH_HALF_SCORE_ADV))
    if reading.volume_ratio is not None:
        parts.append(reading.volume_ratio / (1 + reading.volume_ratio))
    liquidity = math.prod(parts) ** (1 / len(parts)) if parts else 0.5
    move = 0.0 if reading.drift_z is None else abs(reading.drift_z)
    surprise = 0.0 if reading.volume_ratio is None else reading.volume_ratio
    news = min(1.0, max(0.0, (surprise - 1.5) / 3)) * min(1.0, max(0.0, (move - 1.5) / 1.5))
    regime = "HIGH" if move >= _HIGH_Z else "NORMAL"
    if news >= 0.5:
        condition = "NEWS_DRIVEN"
    elif move >= _HIGH_Z:
        condition = "HIGH_VOLATILITY"
    elif move >= _TREND_Z:
        condition = "TRENDING"
    elif liquidity < 0.2:
        condition = "LOW_LIQUIDITY"
    else:
        condition = "NORMAL"
    return MarketContext(
        current_conditions=condition,
        volatility_regime=regime,
        liquidity_score=round(liquidity, 4),
        news_impact_score=round(news, 4),
        time_of_day=time_of_day(profile),
        source="derived",
    )


def client_context(given: MarketContext) -> MarketContext:
    """The client's context, checked.

    Raises:
        InvalidInput: with one entry per field that is wrong.
    """
    errors = [
        InvalidInput(
            f"market_context.{name} {value!r} is not known; use one of {', '.join(allowed)}",
            field=f"market_context.{name}",
            value=value,
            expected="one of " + ", ".join(allowed),
        )
        for name, value, allowed in (
            ("current_conditions", given.current_conditions, CONDITIONS),
            ("volatility_regime", given.volatility_regime, REGIMES),
            ("time_of_day", given.time_of_day, TIMES_OF_DAY),
        )
        if value not in allowed
    ]
    errors += [
        InvalidInput(
            f"market_context.{name} {value} is not in 0..1",
            field=f"market_context.{name}",
            value=value,
            expected="0..1",
        )
        for name, value in (
            ("liquidity_score", given.liquidity_score),
            ("news_impact_score", given.news_impact_score),
        )
        if not 0 <= value <= 1
    ]
    if errors:
        raise InvalidInput("; ".join(error.message for error in errors), errors=errors)
    return MarketContext(
        current_conditions=given.current_conditions,
        volatility_regime=given.volatility_regime,
        liquidity_score=given.liquidity_score,
        news_impact_score=given.news_impact_score,
        time_of_day=given.time_of_day,
        source="client",
    )


def time_of_day(profile: OrderProfile) -> str:
    """Where in its session the order starts: half an hour at either end, thirds between."""
    since_open = (profile.start_ns - profile.open_ns) / NS_PER_MINUTE
    to_close = (profile.close_ns - profile.start_ns) / NS_PER_MINUTE
    if to_close <= _EDGE_MINUTES:
        return "CLOSING"
    if since_open < _EDGE_MINUTES:
        return "OPENING"
    share = (since_open - _EDGE_MINUTES) / (since_open + to_close - 2 * _EDGE_MINUTES)
    return "MORNING" if share < 1 / 3 else "MIDDAY" if share < 2 / 3 else "AFTERNOON"
