"""What the cost model is told about an order's market, and where each figure comes from."""

from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Final

import numpy as np

from bestex.domain.errors import InvalidOrder, StaleMarketData
from bestex.domain.market import MarketSnapshot
from bestex.messages.strategy import MarketContext
from bestex.ports import VolumeCurve
from bestex.quant.candidates import MarketEstimates
from bestex.quant.volume_curves import VolumeCurve as SessionCurve
from bestex.services.strategy.config import StrategyConfig
from bestex.services.strategy.profile import OrderProfile

_CURVE_POINTS: Final = 26  # fifteen minutes each on a US equity day
_SHARE_TO_INFER: Final = 0.05  # of the day's volume that must have passed before the day's total is inferred from it
_REGIME_VOLATILITY: Final = {"LOW": 0.75, "NORMAL": 1.0, "HIGH": 1.5}
_CONDITION_VOLUME: Final = {"LOW_LIQUIDITY": 0.6, "NEWS_DRIVEN": 1.3}  # only for a context the client gave


@dataclass(frozen=True, kw_only=True)
class EstimateSources:
    """The estimates and, in words, what was assumed where there is no history."""

    market: MarketEstimates
    assumptions: tuple[str, ...]
    volatility_adjustment: bool  # the regime moved the volatility away from its history


def session_curve(curve: VolumeCurve, open_ns: int, close_ns: int) -> SessionCurve:
    """A port's volume curve as the cost model reads it: cumulative shares of one session."""
    edges = [open_ns + (close_ns - open_ns) * k // _CURVE_POINTS for k in range(_CURVE_POINTS + 1)]
    shares = np.array([curve.share(start, end) for start, end in pairwise(edges)])
    total = float(shares.sum())
    if total <= 0:
        raise AssertionError(f"the volume curve {curve.name!r} has no volume between {open_ns} and {close_ns}")
    return SessionCurve(
        np.linspace(0, 1, _CURVE_POINTS + 1), np.concatenate([[0.0], np.cumsum(shares)]) / total, curve.name
    )


def daily_volatility(profile: OrderProfile, config: StrategyConfig) -> tuple[float, str | None]:
    """Standard deviation of a day's return as a fraction, and the assumption made where there is no history."""
    known = profile.instrument.daily_volatility
    if known is not None:
        return known, None
    assumed = config.assumed_daily_volatility[profile.instrument.asset_class]
    return assumed, f"daily volatility {assumed:.1%} is assumed for {profile.instrument.asset_class}: no history"


def market_estimates(
    profile: OrderProfile,
    market: MarketSnapshot,
    context: MarketContext,
    curve: SessionCurve,
    volume_ratio: float | None,
    config: StrategyConfig,
) -> EstimateSources:
    """Everything the cost model needs to know.

    Args:
        volume_ratio: session volume so far over what is usual by now; None where it cannot be told.

    Raises:
        StaleMarketData: if the market has no two-sided quote.
        InvalidOrder: if the instrument has no average daily volume and the session is too young to infer one.
    """
    mid, spread = market.mid, market.spread
    if mid is None or spread is None:
        raise StaleMarketData(
            f"{profile.instrument.instrument_id} has no two-sided quote; try again when it has one",
            field="market",
            expected="a bid and an ask",
        )
    assumptions: list[str] = []
    volatility, assumed = daily_volatility(profile, config)
    if assumed is not None:
        assumptions.append(assumed)
    regime = _REGIME_VOLATILITY[context.volatility_regime]
    volume, said = _daily_volume(profile, market, curve)
    if said is not None:
        assumptions.append(said)
    if context.source == "client":
        volume *= _CONDITION_VOLUME.get(context.current_conditions, 1.0)
    elif volume_ratio is not None and said is None:
        # The rest of the day follows the surprise so far only in part.
        volume *= min(1.5, max(0.5, volume_ratio)) ** 0.5
    price = float(mid)
    unit_notional = price * float(profile.instrument.multiplier)
    lit, dark = profile.lit_venues, profile.dark_venues
    session_ns = profile.close_ns - profile.open_ns
    return EstimateSources(
        market=MarketEstimates(
            price=price,
            spread=max(0.0, float(spread)),
            tick_size=float(profile.instrument.tick_size),
            touch_quantity=float(market.bid_quantity + market.ask_quantity) / 2,
            daily_volume=volume,
            daily_volatility=volatility * regime,
            volume_curve=curve,
            session_minutes=session_ns / 60e9,
            session_fraction=(profile.start_ns - profile.open_ns) / session_ns,
            taker_fee=_mean([venue.taker_fee for venue in lit]) / unit_notional,
            maker_fee=_mean([venue.maker_fee for venue in lit]) / unit_notional,
            dark_fee=_mean([venue.taker_fee for venue in dark]) / unit_notional,
        ),
        assumptions=tuple(assumptions),
        volatility_adjustment=regime != 1.0,
    )


def _daily_volume(profile: OrderProfile, market: MarketSnapshot, curve: SessionCurve) -> tuple[float, str | None]:
    known = profile.instrument.average_daily_volume
    if known is not None:
        return float(known), None
    passed = float(curve.at((market.time_ns - profile.open_ns) / (profile.close_ns - profile.open_ns)))
    if passed >= _SHARE_TO_INFER and market.cumulative_volume > 0:
        return float(market.cumulative_volume) / passed, "daily volume is inferred from the session so far: no history"
    raise InvalidOrder(
        f"{profile.instrument.instrument_id} has no average daily volume and the session is too young to infer one; "
        "name an algorithm, or give the instrument its average_daily_volume",
        field="instrument_id",
        value=profile.instrument.instrument_id,
        expected="an instrument with an average daily volume",
    )


def _mean(values: list[Decimal]) -> float:
    return float(sum(values) / len(values)) if values else 0.0
