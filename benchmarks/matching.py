"""Matching operations per second of processor time, on a seeded day of limit orders, cancels and crossing orders.

    python benchmarks/matching.py [--n 4000000] [--runs 7] [--data benchmarks/data]

The flow is `benchmarks/flow.py`'s: each run of fills with one timestamp becomes one crossing limit order, so that the
engine must find the trades again. They are compared with the generator's one by one before anything is timed.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))

import flow  # type: ignore[import-not-found,unused-ignore]

from bestex.native.matching import OPERATION, MatchEvent, MatchingEngine, MatchKind, OperationKind
from bestex.native.rows import L3_ROWS, L3Kind
from bestex.native.twin import matching as twin

LEVELS = 1 << 16
TWIN_OPERATIONS = 50_000
GOAL = 28e6  # operations per second of processor time


def operations_of(l3: NDArray[np.void]) -> NDArray[np.void]:
    """(operations,) rows of OPERATION for (rows,) order-by-order rows."""
    is_fill = l3["kind"] == L3Kind.FILL
    begins = np.ones(len(l3), bool)
    begins[1:] = ~(
        is_fill[1:] & is_fill[:-1] & (l3["time_ns"][1:] == l3["time_ns"][:-1]) & (l3["side"][1:] == l3["side"][:-1])
    )
    first = np.flatnonzero(begins)
    last = np.append(first[1:], len(l3)) - 1
    crosses = is_fill[first]
    rows = np.zeros(len(first), OPERATION)
    rows["kind"] = np.where(l3["kind"][first] == L3Kind.CANCEL, OperationKind.CANCEL, OperationKind.LIMIT)
    rows["side"] = np.where(crosses, 1 - l3["side"][first], l3["side"][first])
    rows["price"] = l3["price_half_ticks"][last] // 2
    rows["quantity"] = np.add.reduceat(l3["quantity"].astype(np.int64), first)
    rows["id"] = l3["order_id"][first]
    rows["id"][crosses] = int(l3["order_id"].max()) + 1 + np.arange(int(crosses.sum()))
    return rows


def as_bytes(rows: NDArray[np.void]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(rows).view(np.uint8).reshape(-1, OPERATION.itemsize)


def trades_that_differ(l3: NDArray[np.void], rows: NDArray[np.void]) -> tuple[int, int]:
    """(trades compared, trades that are not the generator's: order, price in half ticks, lots)."""
    fills = l3[l3["kind"] == L3Kind.FILL]
    expected = list(
        zip(fills["order_id"].tolist(), fills["price_half_ticks"].tolist(), fills["quantity"].tolist(), strict=True)
    )
    engine, found = MatchingEngine(0, LEVELS), []
    for start in range(0, len(rows), 100_000):
        for row in engine.apply(as_bytes(rows[start : start + 100_000])):
            event = MatchEvent(*row)
            if event.kind == MatchKind.TRADED:
                found.append((event.order, event.price_half_ticks, event.quantity))
    wrong = sum(a != b for a, b in zip(expected, found, strict=False)) + abs(len(expected) - len(found))
    return len(expected), wrong


def seconds_of_processor(rows: NDArray[np.uint8], with_digest: bool) -> tuple[float, tuple[int, int, int, int]]:
    engine = MatchingEngine(0, LEVELS)
    began = time.process_time()
    summary = engine.run(rows, with_digest)
    return time.process_time() - began, summary


def seconds_of_twin(rows: NDArray[np.void]) -> float:
    operations = [
        (OperationKind(int(row["kind"])), *(int(row[name]) for name in ("side", "price", "quantity", "owner", "id")))
        for row in rows
    ]
    engine = twin.MatchingEngine(0, LEVELS)
    began = time.process_time()
    for operation in operations:
        engine.apply(*operation)
    return time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=flow.N)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--data", type=Path, default=Path("benchmarks/data"))
    arguments = parser.parse_args()
    saved = arguments.data / f"matching-l3-{arguments.n}.npy"
    if saved.exists():
        l3 = np.load(saved)
    else:
        l3 = flow.generate(arguments.n).l3
        arguments.data.mkdir(parents=True, exist_ok=True)
        np.save(saved, l3)
    assert l3.dtype == L3_ROWS
    rows = operations_of(l3)
    compared, wrong = trades_that_differ(l3, rows)
    print(f"{len(rows):,} operations; {compared:,} trades compared with the generator's, {wrong} differ")
    data = as_bytes(rows)
    rates = {}
    for with_digest in (False, True):
        runs = [seconds_of_processor(data, with_digest) for _ in range(arguments.runs)]
        seconds = statistics.median(run[0] for run in runs)
        rates[with_digest] = len(rows) / seconds
        events, trades, lots, digest = runs[0][1]
        print(
            f"  {'digest of every event' if with_digest else 'events read and counted':24}"
            f" {seconds * 1e3:7.1f} ms median of {arguments.runs}  {rates[with_digest] / 1e6:6.1f} M operations/s"
            f"  ({events:,} events, {trades:,} trades, {lots:,} lots{f', digest {digest:016x}' if with_digest else ''})"
        )
    part = rows[:TWIN_OPERATIONS]
    twin_rate = len(part) / seconds_of_twin(part)
    print(
        f"  Python twin on {len(part):,}: {twin_rate / 1e6:.3f} M operations/s; core {rates[False] / twin_rate:,.0f} x"
    )
    print(f"  goal {GOAL / 1e6:.0f} M operations/s: {rates[False] / GOAL:.2f} x")


if __name__ == "__main__":
    main()
