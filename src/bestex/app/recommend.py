"""`bestex recommend`: one recommendation at the terminal."""

import json
import sys
from typing import Any

from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from bestex.adapters.memory.journal import MemoryJournal
from bestex.api import strict_json
from bestex.api.models import RecommendBody
from bestex.api.routes.strategy import constraints_of, context_of
from bestex.app.clock import WallClock
from bestex.app.desk import Desk
from bestex.app.http_client import call
from bestex.app.replay_driver import ReplayDriver
from bestex.app.targets import services
from bestex.domain.errors import InvalidInput
from bestex.messages.codec import client_view, json_bytes
from bestex.messages.strategy import RecommendExecution
from bestex.simulation.generated_market import GeneratedMarket
from bestex.simulation.generated_reference import GeneratedReference


def ask(text: str, *, url: str | None, seed: int) -> dict[str, Any]:
    """The recommendation, in the client's form, from a running desk or from a fresh generated market."""
    body = _checked(text)
    if url is not None:
        found: dict[str, Any] = json.loads(call(url, "POST", "execution-strategy/recommend", text.encode()))
        return found
    market = GeneratedMarket(seed=seed, start_ns=None, wall_ns=WallClock().now_ns())
    reference = GeneratedReference(market)
    reference.instrument(body.instrument_id).quantity_to_lots(body.quantity)
    driver = ReplayDriver(Desk(services("strategy", reference, timed=False), market), MemoryJournal())
    driver.restore_catalogues()
    request = RecommendExecution(
        order_id=body.order_id,
        instrument_id=body.instrument_id,
        side=body.side,
        quantity=body.quantity,
        objective=body.objective,
        urgency=body.urgency,
        constraints=constraints_of(body.constraints),
        market=market.snapshot(body.instrument_id),
        market_context=context_of(body.market_context),
        start_time_ns=body.start_time,
        end_time_ns=body.end_time,
        algorithm=body.algorithm,
    )
    answer: dict[str, Any] = client_view(driver.request("strategy", request, order_id=body.order_id))
    return answer


def _checked(text: str) -> RecommendBody:
    try:
        return RecommendBody.model_validate(strict_json.parse(text.encode()))
    except ValidationError as error:
        errors = [
            InvalidInput(
                f"{'.'.join(map(str, item['loc'])) or 'body'}: {item['msg'].removeprefix('Value error, ')}",
                field=".".join(map(str, item["loc"])),
                value=item.get("input"),
                expected=item["msg"].removeprefix("Value error, "),
            )
            for item in error.errors()
        ]
        raise InvalidInput("; ".join(item.message for item in errors), errors=errors) from None


def show(recommendation: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json_bytes(recommendation).decode() + "\n")
        return
    console = Console(highlight=False)
    chosen = recommendation["recommended_strategy"]
    console.print(f"[bold]{chosen['strategy_name']}[/bold]  ({chosen['algorithm']})   {recommendation['order_id']}")
    console.print(recommendation["strategy_rationale"])
    table = Table("strategy", "cost bps", "risk bps", "minutes", "impact bps", "completes", "score")
    rows = [(chosen["strategy_name"], recommendation["expected_outcomes"], None)]
    rows += [
        (item["strategy"]["strategy_name"], item["expected_outcomes"], item["score"])
        for item in recommendation["alternative_strategies"]
    ]
    for column in table.columns[1:]:
        column.justify = "right"
    for name, outcome, score in rows:
        table.add_row(
            name,
            f"{outcome['estimated_cost'] * 1e4:.2f}",
            f"{outcome['cost_sd'] * 1e4:.1f}",
            f"{outcome['estimated_time_minutes']}",
            f"{outcome['market_impact'] * 1e4:.2f}",
            f"{outcome['completion_probability']:.0%}",
            "chosen" if score is None else f"{score:.2f}",
        )
    console.print(table)
    console.print(f"confidence {recommendation['confidence']:.0%} to be within max(1 bp, 5 %) of the best candidate")
