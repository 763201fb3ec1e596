"""What if the order had been worked otherwise? Many executions over one tape in one pass of the native core.

Each world is one execution that could have happened; worlds never meet. Half an hour of made-up flow, 1,000 worlds:
a buy of 3,000 lots over three minutes, from ever other start times, by four ways of working it.

Run: python examples/05_what_if_many_worlds.py
"""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from bestex.native.decision import AlgorithmCode, SideCode, StyleCode
from bestex.native.replay import Replay, ReplayConfig, ReplayParent
from bestex.native.rows import ASK, BID, L2_ROWS, L2Kind
from bestex.native.tape import build_tape

OPEN_NS, SECOND, SECONDS = 1_795_185_000_000_000_000, 1_000_000_000, 1_800
WORLDS, LOTS = 1_000, 3_000
WAYS = list(AlgorithmCode)


def flow(seed: int) -> "np.ndarray[Any, np.dtype[np.void]]":
    """Five trades a second at a quote of 5,000 lots a side, one tick wide, that moves by a tick every few seconds."""
    randomness = np.random.Generator(np.random.PCG64(seed))
    rows: list[tuple[int, int, int, int, L2Kind, int]] = []  # time, half ticks, lots, lots of the level, kind, side
    ask = 20_002  # half ticks: 100.01 at a tick of 0.01
    for second in range(SECONDS):
        time_ns, step = OPEN_NS + second * SECOND, int(randomness.choice((-2, 0, 0, 0, 2)))
        if step or not second:
            if second:
                rows += [(time_ns, price, 5_000, 0, L2Kind.DEPTH, side) for price, side in ((ask, ASK), (ask - 2, BID))]
            ask += step
            rows += [(time_ns, price, 5_000, 5_000, L2Kind.DEPTH, side) for price, side in ((ask, ASK), (ask - 2, BID))]
        for trade in range(1, 6):
            buyer = int(randomness.integers(2))
            at, lots = time_ns + trade * SECOND // 6, int(randomness.integers(1, 300))
            taker, resting, price = (BID, ASK, ask) if buyer else (ASK, BID, ask - 2)
            rows.append((at, price, lots, 0, L2Kind.TRADE, taker))
            rows += [(at, price, lots, left, L2Kind.DEPTH, resting) for left in (5_000 - lots, 5_000)]  # and refilled
    return np.array([(*row, 0) for row in rows], dtype=L2_ROWS)


def main() -> None:
    parents = [
        ReplayParent(
            world=world,
            side=SideCode.BUY,
            quantity=LOTS,
            start_ns=OPEN_NS + (30 + world * 1_500 // WORLDS) * SECOND,
            end_ns=OPEN_NS + (210 + world * 1_500 // WORLDS) * SECOND,
            slices=6,
            algorithm=WAYS[world % 4],
            style=StyleCode.BALANCED,
            participation_rate=0.1 if WAYS[world % 4] is AlgorithmCode.PARTICIPATION_RATE else 1.0,
        )
        for world in range(WORLDS)
    ]
    with tempfile.TemporaryDirectory() as scratch:
        tape = build_tape(flow(seed=1), Path(scratch) / "example.tape", instrument_id="EXMPL")
        done = Replay(tape, ReplayConfig(order_delay_ns=500_000, report_delay_ns=500_000)).run(parents).parents
    assert (done["planned"] == done["filled"] + done["returned"]).all()
    arrival = (done["arrival_bid_ticks"] + done["arrival_ask_ticks"]).astype(float)  # half ticks
    cost_bps = 1e4 * (done["notional_half_ticks"] / done["filled"] - arrival) / arrival
    for way, algorithm in enumerate(WAYS):
        mine = cost_bps[way::4]
        filled = done["filled"][way::4].sum() / done["quantity"][way::4].sum()
        print(f"{algorithm.name:>25}  filled {filled:6.1%}  cost {mine.mean():6.2f} bps, sd {mine.std():.2f}")


if __name__ == "__main__":
    main()
