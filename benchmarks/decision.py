"""How long one decision takes: the native step alone, and called from Python; with the pre-trade model beside it.

Steps are drawn from a seed: every algorithm and style, every wake, start to end of the order.

    python benchmarks/decision.py [--steps 200000] [--seed 20261121] [--json FILE]
"""

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bestex.domain.orders import Algorithm, ExecutionStyle
from bestex.native.decision import AlgorithmCode, DecisionEngine, StyleCode, Wake
from bestex.quant.candidates import Candidate, MarketEstimates
from bestex.quant.pretrade import expected_outcome
from bestex.quant.schedules import almgren_chriss_curve
from bestex.quant.volume_curves import u_shaped_default

BAR_NS = 100_000  # P99 of one decision step
PARENTS, SLICES = 1_000, 30


@dataclass(frozen=True)
class Latency:
    what: str
    calls: int
    p50_ns: float
    p99_ns: float
    mean_ns: float


def latency(what: str, times_ns: NDArray[np.number[Any]]) -> Latency:
    p50, p99 = np.percentile(times_ns, [50, 99])
    return Latency(what, len(times_ns), float(p50), float(p99), float(times_ns.mean()))


def engine(algorithm: AlgorithmCode, style: StyleCode) -> DecisionEngine:
    return DecisionEngine(
        algorithm=algorithm,
        style=style,
        side=0,
        quantity=30_000,
        start=0,
        end=30_000_000_000,
        slices=SLICES,
        curve=almgren_chriss_curve(SLICES, 1.0),
        participation_rate=0.2 if algorithm == AlgorithmCode.PARTICIPATION_RATE else 1.0,
    )


def drawn_steps(count: int, random: np.random.Generator) -> NDArray[np.int64]:
    """(count, 10) inputs of the step, in time order."""
    rows = np.empty((count, 10), dtype=np.int64)
    rows[:, 0] = np.sort(random.integers(0, 30_000, count))
    rows[:, 1] = random.integers(0, 1_000, count)
    rows[:, 2] = random.random(count) < 0.1
    rows[:, 3] = np.sort(random.integers(0, 30_000_000_000, count))
    rows[:, 4] = random.integers(9_990, 10_010, count)
    rows[:, 5] = rows[:, 4] + random.integers(1, 4, count)
    rows[:, 6:8] = 500
    rows[:, 8] = np.sort(random.integers(0, 150_000, count))
    rows[:, 9] = random.integers(0, len(Wake), count)
    return rows


def measure(steps: int, seed: int) -> list[Latency]:
    random = np.random.default_rng(seed)
    kinds = [(a, s) for a in AlgorithmCode for s in StyleCode]
    each = max(1, steps // len(kinds))
    native, python, estimates = [], [], []
    for algorithm, style in kinds:
        rows = drawn_steps(each, random)
        native.append(engine(algorithm, style).step_times_ns(rows))
        decide, clock = engine(algorithm, style).decide, time.perf_counter_ns
        times = np.empty(each, dtype=np.int64)
        for i, row in enumerate(rows.tolist()):
            filled, live, pending, now, bid, ask, bid_quantity, ask_quantity, others, wake = row
            begin = clock()
            decide(filled, live, bool(pending), now, bid, ask, bid_quantity, ask_quantity, others, wake)
            times[i] = clock() - begin
        python.append(times)
    rows, twap = drawn_steps(PARENTS * SLICES, random), engine(AlgorithmCode.TWAP, StyleCode.BALANCED)
    batches = []
    for _ in range(20):
        begin = time.perf_counter_ns()
        twap.decide_rows(rows)
        batches.append((time.perf_counter_ns() - begin) / len(rows))
    market = MarketEstimates(
        price=100.0,
        spread=0.02,
        tick_size=0.01,
        touch_quantity=500,
        daily_volume=1e7,
        daily_volatility=0.02,
        volume_curve=u_shaped_default(),
        session_minutes=390,
        session_fraction=0.1,
    )
    for algorithm_name in Algorithm:
        for style_name in ExecutionStyle:
            candidate = Candidate(
                algorithm=algorithm_name,
                style=style_name,
                window_minutes=120,
                slices=SLICES,
                kappa_t=2.0,
                participation_rate=0.2,
            )
            for _ in range(50):
                begin = time.perf_counter_ns()
                expected_outcome(candidate, 2e5, market)
                estimates.append(time.perf_counter_ns() - begin)
    return [
        latency("native step, its clock included", np.concatenate(native)),
        latency("step called from Python", np.concatenate(python)),
        latency(f"native step, mean over {PARENTS} x {SLICES} in a row", np.array(batches)),
        latency("pre-trade estimate of one candidate", np.array(estimates)),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--steps", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rows = measure(given.steps, given.seed)
    result = {
        "seed": given.seed,
        "bar_p99_ns": BAR_NS,
        "met": all(row.p99_ns < BAR_NS for row in rows[:2]),
        "rows": [asdict(row) for row in rows],
    }
    print(f"{'':46}{'calls':>10}{'P50 us':>10}{'P99 us':>10}{'mean us':>10}")
    for row in rows:
        print(
            f"{row.what:46}{row.calls:>10}"
            + "".join(f"{ns / 1e3:>10.3f}" for ns in (row.p50_ns, row.p99_ns, row.mean_ns))
        )
    print(json.dumps(result))
    if given.json:
        given.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
