"""A seeded day of order flow: the same rows for the same seed, on every machine.

One 6.5 hour equity session of zero-intelligence flow: U-shaped intensity with bursts, limit orders at power-law
distance from the opposite best, random cancels, market orders of persistent sign that walk the queues first in, first
out. Prices are ticks around 20,000, quantities multiples of 100. All randomness comes from NumPy's PCG64.

    python -m benchmarks.flow --out benchmarks/data [--n 4000000] [--seed 20261121]
"""

import argparse
import hashlib
import json
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bestex.native.rows import L2_ROWS, L3_ROWS, L2Kind, L3Kind

N = 4_000_000
SEED = 20261121
PUBLISHED_SHA256 = {  # of the rows with whole-tick prices, for N and SEED
    "l3": "059191acc28d26a8225109dd2bec6bf3297fc4b633942259c2e1b3fd575aa057",
    "l2": "412e57c8cf3e9bff4b2454519c232ccbd9c47fe74fab26cfa5c528852f5d2a42",
}
OPEN_NS = 1_700_000_000_000_000_000 // 86_400_000_000_000 * 86_400_000_000_000 + 34_200 * 1_000_000_000
SEED_LEVELS = 50
MID = 20_000


@dataclass(frozen=True)
class Flow:
    """Order-by-order rows and price-level rows of the same day; prices in half ticks."""

    l3: NDArray[np.void]
    l2: NDArray[np.void]


def generate(n: int = N, seed: int = SEED) -> Flow:
    """About `n` order events. Half a minute for four million: the loop is plain Python so that it can be read."""
    random = np.random.Generator(np.random.PCG64(seed))
    x = np.linspace(-1, 1, n)
    gap = random.standard_exponential(n) / (1 + 1.5 * x * x)
    gap *= np.where(random.random(n) < 0.5, 0.05, 1.95)
    at = np.cumsum(gap)
    columns, used = _simulate(n, random.random((n, 4)))
    action, order, price, quantity, kind, side, level = columns
    clock = OPEN_NS + (at / at[used - 1] * 23_399.0 * 1e9).astype(np.int64)

    l3 = np.zeros(len(action), L3_ROWS)
    l3["time_ns"], l3["order_id"], l3["price_half_ticks"] = clock[action], order, price * 2
    l3["quantity"], l3["kind"], l3["side"] = quantity, kind, side

    traded = l3["kind"] == L3Kind.FILL
    l2 = np.zeros(len(l3) + int(traded.sum()), L2_ROWS)
    depth = np.arange(len(l3)) + np.cumsum(traded)  # where row i's depth row goes; its trade row goes before it
    print_at = depth[traded] - 1
    for name in ("time_ns", "price_half_ticks", "quantity"):
        l2[name][depth] = l3[name]
        l2[name][print_at] = l3[name][traded]
    l2["level_quantity"][depth], l2["kind"][depth], l2["side"][depth] = level, L2Kind.DEPTH, l3["side"]
    l2["kind"][print_at], l2["side"][print_at] = L2Kind.TRADE, 1 - l3["side"][traded]
    return Flow(l3, l2)


def sha256(rows: NDArray[np.void]) -> str:
    """Of the rows with whole-tick prices, as they were first published."""
    whole = rows.copy()
    whole["price_half_ticks"] //= 2
    return hashlib.sha256(whole.tobytes()).hexdigest()


def _simulate(n: int, draws: NDArray[np.float64]) -> tuple[tuple[NDArray[np.int64], ...], int]:
    prices, left, sides = [0], [0], [0]  # by order id; ids start at 1
    queues: tuple[dict[int, deque[int]], dict[int, deque[int]]] = ({}, {})  # price -> ids, first in line first
    shown: tuple[dict[int, int], dict[int, int]] = ({}, {})  # price -> quantity
    live: list[int] = []
    place: dict[int, int] = {}  # id -> index in live
    count = [0, 0]
    best = [MID - 1, MID]
    rows: list[tuple[int, int, int, int, int, int, int]] = []

    def add(action: int, side: int, price: int, quantity: int) -> None:
        order = len(prices)
        prices.append(price)
        left.append(quantity)
        sides.append(side)
        queues[side].setdefault(price, deque()).append(order)
        shown[side][price] = shown[side].get(price, 0) + quantity
        place[order] = len(live)
        live.append(order)
        count[side] += 1
        rows.append((action, order, price, quantity, L3Kind.ADD, side, shown[side][price]))

    def take(action: int, order: int, quantity: int, kind: int) -> None:
        side, price = sides[order], prices[order]
        left[order] -= quantity
        shown[side][price] -= quantity
        rows.append((action, order, price, quantity, kind, side, shown[side][price]))
        if left[order]:
            return
        queue = queues[side][price]
        if queue[0] == order:
            queue.popleft()
        else:
            queue.remove(order)
        last = live.pop()
        i = place.pop(order)
        if last != order:
            live[i] = last
            place[last] = i
        count[side] -= 1
        while price == best[side] and not shown[side].get(best[side]):
            price = best[side] = best[side] + (1 if side else -1)

    for distance in range(SEED_LEVELS):
        for side in (0, 1):
            for j in range(4):
                add(0, side, MID + distance if side else MID - 1 - distance, 100 * (1 + (distance * 7 + j * 3) % 5))
    sign = 0
    action = 0
    while len(rows) < n and action < n:
        now = action
        kind_draw, r1, r2, r3 = draws[action].tolist()
        action += 1
        act = L3Kind.ADD if kind_draw < 0.50 else L3Kind.CANCEL if kind_draw < 0.88 else L3Kind.FILL
        if len(live) < 600:
            act = L3Kind.ADD
        elif len(live) > 6000 and act == L3Kind.ADD:
            act = L3Kind.CANCEL
        if act == L3Kind.CANCEL:
            order = live[int(r1 * len(live))]
            if count[sides[order]] < 200:
                act = L3Kind.ADD
            else:
                take(now, order, left[order], act)
        if act == L3Kind.ADD:
            side = 0 if r1 < 0.5 else 1
            away = min(1 + int(6.0 * (r2**-0.5 - 1.0)), 300)
            price = best[0] + away if side else best[1] - away
            add(now, side, price, 100 * (1 + int(6.0 * r3 * r3)))
            best[side] = min(best[1], price) if side else max(best[0], price)
        elif act == L3Kind.FILL:
            if r1 > 0.80:
                sign = 1 - sign
            side = 1 - sign
            wanted = 100 * (1 + int(12.0 * r2 * r2 * r2))
            while len(rows) < n and wanted > 0 and count[side] >= 100:
                order = queues[side][best[side]][0]
                quantity = min(left[order], wanted)
                wanted -= quantity
                take(now, order, quantity, act)
    return tuple(np.array(column, np.int64) for column in zip(*rows, strict=True)), action


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/data"))
    parser.add_argument("--n", type=int, default=N)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    flow = generate(options.n, options.seed)
    np.save(options.out / "l3.npy", flow.l3)
    np.save(options.out / "l2.npy", flow.l2)
    digests = {"l3": sha256(flow.l3), "l2": sha256(flow.l2)}
    print(
        json.dumps(
            {
                "seed": options.seed,
                "l3_events": len(flow.l3),
                "l2_events": len(flow.l2),
                "fills": int((flow.l3["kind"] == L3Kind.FILL).sum()),
                "sha256": digests,
                "equals_published": digests == PUBLISHED_SHA256 if (options.n, options.seed) == (N, SEED) else None,
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
