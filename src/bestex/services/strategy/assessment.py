"""The market's kind as an answer of its own: its labels, each with numbers, source and confidence."""

from statistics import NormalDist

from bestex.domain.errors import StaleMarketData
from bestex.domain.orders import Objective, Side, Urgency
from bestex.messages.strategy import (
    AssessMarket,
    Assessment,
    ExecutionConstraints,
    MarketConditions,
    RecommendExecution,
)
from bestex.ports import ReferenceData
from bestex.services.strategy.config import StrategyConfig
from bestex.services.strategy.estimates import daily_volatility
from bestex.services.strategy.market_conditions import derived_context, reading_of
from bestex.services.strategy.profile import profile_of_request

_NORMAL = NormalDist()


def assessed(request: AssessMarket, reference: ReferenceData, config: StrategyConfig, now_ns: int) -> MarketConditions:
    """The conditions that a recommendation made now would assume.

    Raises:
        StaleMarketData: if there is no two-sided quote.
        NotFound: if the instrument is unknown.
    """
    instrument = reference.instrument(request.instrument_id)
    market = request.market
    if market.mid is None:
        raise StaleMarketData(
            f"{request.instrument_id} has no two-sided quote; try again when it has one",
            field="market",
            expected="a bid and an ask",
        )
    profile = profile_of_request(
        RecommendExecution(
            order_id="assessment",
            instrument_id=request.instrument_id,
            side=Side.BUY,
            quantity=instrument.lot_size,
            objective=Objective.BALANCED_EXECUTION,
            urgency=Urgency.NORMAL,
            constraints=ExecutionConstraints(),
            market=market,
        ),
        reference,
        now_ns,
    )
    curve = reference.volume_curve(instrument.instrument_id, profile.open_ns)
    volatility, assumed = daily_volatility(profile, config)
    reading = reading_of(profile, market, curve, volatility)
    context = derived_context(profile, reading)
    z = reading.drift_z
    # How rare a wander this wide, or wider, would be in a market without drift.
    chance = None if z is None else 2 * _NORMAL.cdf(-abs(z))
    is_trending = context.current_conditions in ("TRENDING", "HIGH_VOLATILITY", "NEWS_DRIVEN")
    direction = "FLAT" if not is_trending or z is None else "RISING" if z > 0 else "FALLING"
    sides = (reading.spread_bps, reading.depth_adv, reading.volume_ratio)
    expected_share = curve.share(profile.open_ns, max(profile.open_ns, min(market.time_ns, profile.close_ns)))
    parts = {
        "volatility": Assessment(
            label=context.volatility_regime,
            values={"daily_volatility": volatility, "drift_z": z},
            confidence=0.0 if chance is None or assumed else _sure(chance, found=context.volatility_regime == "HIGH"),
            source=assumed or "the instrument's daily volatility, and how far the session has wandered against it",
        ),
        "liquidity": Assessment(
            label="LOW" if context.liquidity_score < 0.2 else "NORMAL",
            values={
                "liquidity_score": context.liquidity_score,
                "spread_bps": reading.spread_bps,
                "touch_over_daily_volume": reading.depth_adv,
                "volume_over_usual": reading.volume_ratio,
            },
            confidence=sum(value is not None for value in sides) / len(sides),
            source="spread, displayed depth and volume so far; confidence is the share of them that could be read",
        ),
        "trend": Assessment(
            label=direction,
            values={"drift_z": z},
            confidence=0.0 if chance is None else _sure(chance, found=direction != "FLAT"),
            source="mid against the session's time-weighted mean, in standard deviations of a market without drift",
        ),
        "intraday_pattern": Assessment(
            label=context.time_of_day,
            values={"expected_volume_share": expected_share, "volume_over_usual": reading.volume_ratio},
            confidence=0.0 if reading.volume_ratio is None else _closeness(reading.volume_ratio),
            source=f"volume curve: {curve.name}; confidence is how close the volume so far is to it",
        ),
    }
    return MarketConditions(
        instrument_id=instrument.instrument_id,
        time_ns=market.time_ns,
        regime=context.current_conditions,
        confidence=min(part.confidence for part in parts.values()),
        context=context,
        is_generated=market.is_generated,
        **parts,
    )


def _sure(chance: float, *, found: bool) -> float:
    """Of a finding: how rarely chance alone would show it. Of none: how often it would show as much."""
    return 1 - chance if found else chance


def _closeness(ratio: float) -> float:
    return min(ratio, 1 / ratio) if ratio > 0 else 0.0
