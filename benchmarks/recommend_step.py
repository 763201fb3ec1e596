"""How long one recommendation takes inside the strategy service: CPU time of the pure step, without HTTP or disk.

Orders are drawn from a seed: sizes from 0.001 % to 30 % of daily volume, every objective and urgency, with and without
constraints, at any time of the day.

    python benchmarks/recommend_step.py [--calls 2000] [--seed 20261121] [--json FILE]
"""

import argparse
import json
import time
from decimal import Decimal
from pathlib import Path

import numpy as np

from bestex.domain.ids import InstrumentId, VenueId, time_ordered_uuid
from bestex.domain.market import MarketSnapshot, VenueQuote
from bestex.domain.orders import Objective, Side, Urgency
from bestex.domain.time import NS_PER_MINUTE, from_iso
from bestex.messages.codec import encode
from bestex.messages.envelope import Message
from bestex.messages.strategy import ExecutionConstraints, RecommendExecution
from bestex.services.strategy.config import StrategyConfig
from bestex.services.strategy.service import StrategyService
from bestex.simulation.generated_market import GeneratedMarket
from bestex.simulation.generated_reference import GeneratedReference

BAR_MS = 5.0  # CPU of one recommendation
OPEN_NS = from_iso("2026-11-20T14:30:00Z")
INSTRUMENT = "AAPL"


def drawn_requests(count: int, seed: int, reference: GeneratedReference) -> list[Message[RecommendExecution]]:
    random = np.random.default_rng(seed)
    instrument = reference.instrument(INSTRUMENT)
    adv = instrument.average_daily_volume
    assert adv is not None
    messages = []
    for number in range(count):
        now_ns = OPEN_NS + int(random.uniform(1, 380) * NS_PER_MINUTE)
        share = 10 ** random.uniform(-5, -0.5)
        quantity = instrument.lot_size * max(1, int(float(adv / instrument.lot_size) * share))
        half_spread = instrument.tick_size * int(random.integers(1, 4))
        mid = instrument.tick_size * 20_000
        request = RecommendExecution(
            order_id=f"order-{number}",
            instrument_id=INSTRUMENT,
            side=Side.BUY if random.random() < 0.5 else Side.SELL,
            quantity=quantity,
            objective=list(Objective)[random.integers(5)],
            urgency=list(Urgency)[random.integers(4)],
            constraints=ExecutionConstraints(
                max_participation_rate=round(random.uniform(0.05, 0.5), 2) if random.random() < 0.5 else None,
                dark_pool_preference=bool(random.random() < 0.5) if random.random() < 0.5 else None,
            ),
            market=MarketSnapshot(
                instrument_id=InstrumentId(INSTRUMENT),
                time_ns=now_ns,
                bid=mid - half_spread,
                ask=mid + half_spread,
                bid_quantity=Decimal(600),
                ask_quantity=Decimal(400),
                last_price=mid,
                cumulative_volume=adv / 3,
                cumulative_notional=adv / 3 * mid,
                mid_time_integral=mid * 3_600,
                mid_seconds=Decimal(3_600),
                venues=tuple(
                    VenueQuote(
                        venue=VenueId(venue.venue_id),
                        bid=mid - half_spread,
                        ask=mid + half_spread,
                        bid_quantity=Decimal(200),
                        ask_quantity=Decimal(150),
                    )
                    for venue in reference.venues(INSTRUMENT)
                    if not venue.is_dark
                ),
            ),
        )
        messages.append(
            Message(
                event_id=time_ordered_uuid(now_ns, number),
                event_type=request.message_type,
                schema_version=1,
                time_ns=now_ns,
                source_service="api",
                order_id=request.order_id,
                sequence=1,
                causation_id=None,
                correlation_id=str(number),
                payload=request,
            )
        )
    return messages


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=20_261_121)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    reference = GeneratedReference(GeneratedMarket(seed=options.seed, start_ns=OPEN_NS))
    service = StrategyService(reference, StrategyConfig())
    messages = drawn_requests(options.calls, options.seed, reference)
    for message in messages[:50]:
        service.handle(message)
    cpu_ns, wall_ns, candidates = [], [], []
    for message in messages:
        wall, cpu = time.perf_counter_ns(), time.process_time_ns()
        answer = service.handle(message).answer
        cpu_ns.append(time.process_time_ns() - cpu)
        wall_ns.append(time.perf_counter_ns() - wall)
        candidates.append(len(answer.frontier))
    cpu_ms, wall_ms = np.array(cpu_ns) / 1e6, np.array(wall_ns) / 1e6
    result = {
        "seed": options.seed,
        "calls": options.calls,
        "cpu_ms_p50": float(np.percentile(cpu_ms, 50)),
        "cpu_ms_p99": float(np.percentile(cpu_ms, 99)),
        "wall_ms_p50": float(np.percentile(wall_ms, 50)),
        "wall_ms_p99": float(np.percentile(wall_ms, 99)),
        "candidates_mean": float(np.mean(candidates)),
        "request_bytes": len(encode(messages[0])),
        "bar_cpu_ms": BAR_MS,
        "within_bar": bool(np.percentile(cpu_ms, 50) <= BAR_MS),
    }
    for name, value in result.items():
        print(f"{name:18} {value:.3f}" if isinstance(value, float) else f"{name:18} {value}")
    if options.json is not None:
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
