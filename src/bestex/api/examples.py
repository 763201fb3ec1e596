"""One realistic request for every body, as the OpenAPI document shows it. A test sends each through its model."""

from typing import Any, Final

from pydantic import ConfigDict


def shown(example: dict[str, Any]) -> ConfigDict:
    """The `model_config` of a body with this example."""
    return ConfigDict(json_schema_extra={"examples": [example]})


RECOMMEND: Final[dict[str, Any]] = {
    "order_id": "order_20261120_001",
    "instrument_id": "AAPL",
    "side": "BUY",
    "quantity": 5000,
    "objective": "MINIMIZE_COST",
    "urgency": "NORMAL",
    "market_context": {
        "current_conditions": "NORMAL",
        "volatility_regime": "NORMAL",
        "liquidity_score": 0.85,
        "news_impact_score": 0.2,
        "time_of_day": "MORNING",
    },
    "constraints": {
        "max_participation_rate": 0.15,
        "time_limit_minutes": 60,
        "venue_restrictions": ["NYSE", "NASDAQ", "DARK_POOL_1"],
        "dark_pool_preference": True,
    },
}
ADAPT: Final[dict[str, Any]] = {"reason": "volume dried up", "urgency": "HIGH", "objective": "MINIMIZE_RISK"}
STRATEGY: Final[dict[str, Any]] = {
    "algorithm_mapping": {"algorithm": "VWAP", "execution_style": "PASSIVE", "urgencies": ["LOW", "NORMAL"]},
    "parameter_ranges": {"horizon_minutes": {"min": 30, "max": 240}, "dark_pool_ratio": {"min": 0.0, "max": 0.3}},
    "enabled": True,
}
ORDER: Final[dict[str, Any]] = {
    "order_id": "order_20261120_002",
    "instrument_id": "AAPL",
    "side": "BUY",
    "order_type": "LIMIT",
    "quantity": 5000,
    "price": 231.5,
    "account_id": "account_7",
    "execution_instructions": {
        "max_participation_rate": 0.15,
        "execution_style": "BALANCED",
        "urgency": "NORMAL",
        "objective": "MINIMIZE_COST",
    },
}
AMEND: Final[dict[str, Any]] = {"quantity": 4000, "price": 232.0, "reason": "the portfolio manager wants less"}
REASON: Final[dict[str, Any]] = {"reason": "news on the instrument"}
EXECUTION: Final[dict[str, Any]] = {
    "order_id": "order_20261120_003",
    "instrument_id": "MSFT",
    "side": "SELL",
    "quantity": 3000,
    "algorithm": "VWAP",
    "execution_style": "BALANCED",
    "parameters": {"participation_rate": 0.15, "custom_parameters": {"slices": 12}},
    "constraints": {"max_order_size": 500, "venue_preferences": ["NASDAQ", "NYSE"], "price_limits": {"min": 420.0}},
    "target_completion_time": "2030-11-20T20:30:00Z",
}
MODIFY: Final[dict[str, Any]] = {"participation_rate": 0.1, "urgency": "LOW", "reason": "no hurry any more"}
KILL: Final[dict[str, Any]] = {"scope": "instrument", "scope_value": "AAPL", "reason": "runaway quotes"}
ALGORITHM: Final[dict[str, Any]] = {"enabled": False, "reason": "under review"}
MONITOR: Final[dict[str, Any]] = {
    "order_id": "order_20261120_002",
    "monitoring_metrics": ["EXECUTION_SPEED", "FILL_RATE", "SLIPPAGE"],
    "alert_thresholds": {"no quote": 0.5},
    "real_time_updates": True,
}
ACKNOWLEDGE: Final[dict[str, Any]] = {"note": "seen, the venue is slow"}
SILENCE: Final[dict[str, Any]] = {"duration_seconds": 900, "reason": "the venue is known to be slow until 10:15"}
ALERT_RULE: Final[dict[str, Any]] = {
    "alert_type": "HIGH_COST",
    "metric": "arrival_slippage_bps",
    "comparison": "above",
    "threshold": 12.5,
    "for_seconds": 5,
    "severity": "HIGH",
}
ANALYZE: Final[dict[str, Any]] = {"order_id": "order_20261120_002"}
ANALYZE_BATCH: Final[dict[str, Any]] = {"start_date": "2026-11-16", "end_date": "2026-11-20", "limit": 500}
QUALITY_MONITOR: Final[dict[str, Any]] = {"algorithm": "VWAP", "start_date": "2026-11-16"}
INSTRUMENT: Final[dict[str, Any]] = {
    "name": "E-mini S&P 500 future",
    "asset_class": "FUTURE",
    "currency": "USD",
    "tick_size": 0.25,
    "lot_size": 1,
    "multiplier": 50,
    "calendar": "CME",
    "venues": ["NYSE"],
    "daily_volatility": 0.011,
}
VENUE: Final[dict[str, Any]] = {
    "name": "CME Globex",
    "venue_type": "PRIMARY_EXCHANGE",
    "maker_fee": 1.38,
    "taker_fee": 1.38,
    "order_latency_ns": 400_000,
}
ROUTE: Final[dict[str, Any]] = {
    "order_id": "order_20261120_002",
    "instrument_id": "AAPL",
    "side": "BUY",
    "quantity": 1000,
    "order_type": "MARKET",
    "routing_objective": "LOWEST_COST",
    "venue_preferences": ["NASDAQ"],
    "exclude_venues": ["BATS"],
    "max_venue_split": 2,
}
