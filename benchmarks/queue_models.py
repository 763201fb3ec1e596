"""How far each L2 queue model is from the exact queue: the same orders on the L3 and the L2 tape of the seeded day.

    python -m benchmarks.queue_models [--data benchmarks/data] [--orders 4000] [--seed 7]

Each order is alone in its world: 100 lots posted at the touch at a random second and left there for a minute. Both
tapes hold the same day, so the exact queue says when it is filled. Share of the orders filled in both books that are
filled by the same event, mean distance of the two times, and how many are filled in one book only.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.flow import OPEN_NS
from benchmarks.replay import tapes
from bestex.native.decision import SideCode, StyleCode
from bestex.native.replay import QueueModel, Replay, ReplayConfig, ReplayParent
from bestex.native.tape import Tape

SECOND = 1_000_000_000
PATIENCE_S = 60
NEVER = -1
WORDS = {
    QueueModel.BEHIND_FIRST: "none from ahead unless forced",
    QueueModel.PRO_RATA: "pro rata a/(a+b)",
    QueueModel.SQUARE: "a^2/(a^2+b^2)",
    QueueModel.AHEAD_FIRST: "ahead first",
}


def orders(count: int, seed: int) -> list[ReplayParent]:
    random = np.random.Generator(np.random.PCG64(seed))
    starts = random.integers(1, 23_400 - PATIENCE_S - 1, count)
    return [
        ReplayParent(
            world=i,
            side=SideCode(int(random.integers(2))),
            quantity=100,
            start_ns=OPEN_NS + int(start) * SECOND,
            end_ns=OPEN_NS + (int(start) + PATIENCE_S) * SECOND,
            slices=1,
            style=StyleCode.PASSIVE,
        )
        for i, start in enumerate(starts)
    ]


def filled_at(tape: Tape, crowd: list[ReplayParent], model: QueueModel) -> NDArray[np.int64]:
    """(orders,) when each was wholly filled while it rested; NEVER where it was not."""
    fills = Replay(tape, ReplayConfig(queue_model=model, keep_fills=True)).run(crowd).fills
    resting = fills[fills["liquidity"] == 0]
    lots = np.bincount(resting["world"], weights=resting["quantity"], minlength=len(crowd))
    last = np.full(len(crowd), NEVER, np.int64)
    last[resting["world"]] = resting["time_ns"]  # in time order: the last one stays
    return np.where(lots == [order.quantity for order in crowd], last, NEVER)


def compare(exact: NDArray[np.int64], modelled: NDArray[np.int64]) -> dict[str, float]:
    both = (exact != NEVER) & (modelled != NEVER)
    apart = np.abs(exact[both] - modelled[both])
    return {
        "orders": len(exact),
        "filled_in_both": int(both.sum()),
        "same_event": float((apart == 0).mean()),
        "mean_error_s": float(apart.mean() / SECOND),
        "filled_in_one_only": int(((exact != NEVER) ^ (modelled != NEVER)).sum()),
    }


def measure(folder: Path, count: int, seed: int) -> dict[str, Any]:
    found = tapes(folder)
    crowd = orders(count, seed)
    exact = filled_at(found["l3"], crowd, QueueModel.PRO_RATA)  # an L3 tape has no use for a model
    if (exact != filled_at(found["l3"], [replace(order) for order in crowd], QueueModel.AHEAD_FIRST)).any():
        raise SystemExit("the exact queue depends on a queue model")
    return {
        "seed": seed,
        "models": {model.name: compare(exact, filled_at(found["l2"], crowd, model)) for model in QueueModel},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("benchmarks/data"))
    parser.add_argument("--orders", type=int, default=4_000)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    figures = measure(options.data, options.orders, options.seed)
    print(f"{'model (part of a cancel taken from ahead)':<44}{'same event':>11}{'mean error':>12}{'in one only':>13}")
    for model in QueueModel:
        row = figures["models"][model.name]
        share = row["filled_in_one_only"] / row["orders"]
        print(f"{WORDS[model]:<44}{row['same_event']:>11.0%}{row['mean_error_s']:>10.3f} s{share:>13.1%}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
