"""The report's content as JSON, for other programs."""

from typing import Any

import bestex
from bestex.adapters.reports.costs import cost_parts
from bestex.adapters.reports.order_story import OrderStory, ReportContext
from bestex.messages.codec import client_view


def report_json(story: OrderStory, context: ReportContext) -> dict[str, Any]:
    """What the page says. Times are ISO-8601 UTC, amounts Decimal, None where a value does not exist.

    `trade_executed` and `quality` have the fields of the contract's messages of these names; write it with
    `bestex.messages.codec.json_bytes`.
    """
    measured, costs = story.measured, story.measured.costs
    return {
        "title": context.title,
        "order": client_view(story.order),
        "trade_executed": client_view(story.trade_executed),
        "fills": [client_view(fill) for fill in story.fills],
        "benchmarks": [
            {"benchmark": name, "price": price, "slippage_bps": slippage}
            for name, price, slippage in (
                ("arrival", costs.arrival_price, costs.arrival_slippage_bps),
                ("interval_vwap", costs.interval_vwap, costs.vwap_slippage_bps),
                ("interval_twap", costs.interval_twap, costs.twap_slippage_bps),
            )
        ],
        "costs": {
            **client_view(costs),
            "parts": [{"name": part.name, "amount": part.amount, "bps": part.bps} for part in cost_parts(costs)],
        },
        "metrics": client_view(measured.metrics),
        "venues": [client_view(venue) for venue in measured.venues],
        "quality": None if story.graded is None else client_view(story.graded),
        "recommendation": None if story.selection is None else client_view(story.selection),
        "child_orders": [client_view(life) for life in story.children],
        "alerts": [client_view(alert) for alert in story.alerts],
        "breaches": list(measured.breaches),
        "data": {
            "market": context.market_kind,
            "is_generated": measured.is_generated,
            "source": list(context.source_lines),
            "caveats": list(context.caveats),
            "notes": list(costs.notes),
        },
        "command": context.command,
        "seed": context.seed,
        "version": bestex.__version__,
    }
