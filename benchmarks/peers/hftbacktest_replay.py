"""hftbacktest over the seeded day, with the same parent orders. Runs in an environment that has hftbacktest and Numba.

    python hftbacktest_replay.py ROWS.npy SCHEDULE.npz LAYOUT STYLE [--repeats 5]

LAYOUT is l2 or l3, STYLE market or passive. SCHEDULE holds the slices of all parents in time order: time_ns, sign (+1
buys), quantity, and the number of the same parent's slice before (-1 for its first). Prints one line of JSON.
"""

import argparse
import json
import os
import time
from typing import Any

import hftbacktest as hft
import numpy as np
from hftbacktest.order import IOC
from hftbacktest.types import event_dtype
from numba import njit
from numpy.typing import NDArray

ADD, CANCEL, FILL = 1, 2, 3  # kinds of an l3 row
DEPTH = 1  # kind of an l2 row; the other is a trade
TICK = 0.01
DELAY_NS = 500_000  # market data to us, orders to the venue, answers back
STEP_NS = 60_000_000_000
CROSSING = 10_000_000  # added to a slice's number for the order that crosses what it left
ON_BOTH_SIDES = hft.EXCH_EVENT | hft.LOCAL_EVENT


def sides(is_ask: NDArray[np.bool_]) -> NDArray[np.uint64]:
    return np.where(is_ask, hft.SELL_EVENT, hft.BUY_EVENT).astype(np.uint64)


def prices(rows: NDArray[np.void]) -> NDArray[np.float64]:
    return np.round(rows["price_half_ticks"] // 2 * TICK, 2)


def events_by_level(rows: NDArray[np.void]) -> NDArray[np.void]:
    """One event a row: a level's new quantity, or a trade by its aggressor."""
    is_depth = rows["kind"] == DEPTH
    events = np.zeros(len(rows), event_dtype)
    kind = np.where(is_depth, hft.DEPTH_EVENT, hft.TRADE_EVENT).astype(np.uint64)
    events["ev"] = kind | sides(rows["side"] == 1) | np.uint64(ON_BOTH_SIDES)
    events["exch_ts"] = rows["time_ns"]
    events["px"] = prices(rows)
    events["qty"] = np.where(is_depth, rows["level_quantity"], rows["quantity"])
    return events


def events_by_order(rows: NDArray[np.void]) -> NDArray[np.void]:
    """One event a row, two for an execution: the fill, then what is left of the order it hit."""
    is_fill = rows["kind"] == FILL
    left = remaining(rows["kind"], rows["order_id"].astype(np.int64), rows["quantity"].astype(np.int64))
    kind = np.full(len(rows), hft.ADD_ORDER_EVENT, np.uint64)
    kind[rows["kind"] == CANCEL] = hft.CANCEL_ORDER_EVENT
    kind[is_fill] = np.where(left[is_fill] == 0, hft.CANCEL_ORDER_EVENT, hft.MODIFY_ORDER_EVENT)
    source = np.repeat(np.arange(len(rows)), 1 + is_fill)
    is_report = np.zeros(len(source), np.bool_)
    is_report[:-1] = source[:-1] == source[1:]
    from_rows = rows[source]
    events = np.zeros(len(source), event_dtype)
    events["ev"] = np.where(is_report, np.uint64(hft.FILL_EVENT), kind[source]) | sides(from_rows["side"] == 1)
    events["ev"] |= np.uint64(ON_BOTH_SIDES)
    events["exch_ts"] = from_rows["time_ns"]
    events["px"] = prices(from_rows)
    events["order_id"] = from_rows["order_id"]
    events["qty"] = np.where(is_fill[source] & ~is_report, left[source], from_rows["quantity"])
    return events


@njit
def remaining(kinds: Any, orders: Any, quantities: Any) -> Any:
    """Lots left of each row's order after the row."""
    of_order = np.zeros(orders.max() + 1, np.int64)
    after = np.empty(len(kinds), np.int64)
    for i in range(len(kinds)):
        of_order[orders[i]] += quantities[i] if kinds[i] == ADD else -quantities[i]
        after[i] = of_order[orders[i]]
    return after


@njit
def wait_until(hbt: Any, time_ns: int) -> bool:
    now = hbt.current_timestamp
    if now == 0 or now > 9_000_000_000_000_000_000:  # not begun
        hbt.elapse(0)
        now = hbt.current_timestamp
    return time_ns <= now or hbt.elapse(time_ns - now) == 0


@njit
def cross(hbt: Any, number: int, sign: int, quantity: float) -> None:
    depth = hbt.depth(0)
    if sign > 0:
        hbt.submit_buy_order(0, number, depth.best_ask, quantity, IOC, hft.MARKET, False)
    else:
        hbt.submit_sell_order(0, number, depth.best_bid, quantity, IOC, hft.MARKET, False)


@njit
def post(hbt: Any, number: int, sign: int, quantity: float) -> None:
    depth = hbt.depth(0)
    if sign > 0:
        hbt.submit_buy_order(0, number, depth.best_bid, quantity, hft.GTX, hft.LIMIT, False)
    else:
        hbt.submit_sell_order(0, number, depth.best_ask, quantity, hft.GTX, hft.LIMIT, False)


@njit
def market_slices(hbt: Any, times: Any, signs: Any, quantities: Any, before: Any) -> int:
    sent = 0
    for i in range(len(times)):
        if not wait_until(hbt, times[i]):
            return sent
        hbt.clear_inactive_orders(0)
        cross(hbt, i + 1, signs[i], quantities[i])
        sent += 1
    while hbt.elapse(STEP_NS) == 0:
        pass
    return sent


@njit
def passive_slices(hbt: Any, times: Any, signs: Any, quantities: Any, before: Any) -> int:
    """Each slice is posted at the touch; what the slice before left is cancelled and crosses."""
    sent = 0
    for i in range(len(times)):
        if not wait_until(hbt, times[i]):
            return sent
        old = before[i]
        if old >= 0:
            order = hbt.orders(0).get(old + 1)
            if order is not None and order.cancellable and order.leaves_qty > 0:
                rest = order.leaves_qty
                hbt.cancel(0, old + 1, False)
                cross(hbt, CROSSING + old, signs[i], rest)
                sent += 1
        post(hbt, i + 1, signs[i], quantities[i])
        sent += 1
    hbt.clear_inactive_orders(0)
    while hbt.elapse(STEP_NS) == 0:
        pass
    return sent


def backtest(events: NDArray[np.void], layout: str, style: str) -> Any:
    asset = hft.BacktestAsset().data(events).linear_asset(1.0).constant_order_latency(DELAY_NS, DELAY_NS)
    if layout == "l2":
        asset.power_prob_queue_model(2.0)
    else:
        asset.l3_fifo_queue_model()
    if layout == "l2" and style == "market":
        asset.partial_fill_exchange()
    else:  # partial fills of resting orders end the run with an error in this version
        asset.no_partial_fill_exchange()
    asset.trading_value_fee_model(0.0, 0.0003).tick_size(TICK).lot_size(1.0).last_trades_capacity(0)
    asset.roi_lb(150.0).roi_ub(250.0)
    return hft.ROIVectorMarketDepthBacktest([asset])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows")
    parser.add_argument("schedule")
    parser.add_argument("layout", choices=("l2", "l3"))
    parser.add_argument("style", choices=("market", "passive"))
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    rows = np.load(options.rows)
    events = events_by_level(rows) if options.layout == "l2" else events_by_order(rows)
    events["local_ts"] = events["exch_ts"] + DELAY_NS
    schedule = np.load(options.schedule)
    columns = [schedule[name] for name in ("time_ns", "sign", "quantity", "before")]
    run = market_slices if options.style == "market" else passive_slices
    seconds = []
    for _ in range(options.repeats + 1):  # the first compiles
        hbt = backtest(events, options.layout, options.style)
        began = time.process_time()
        sent = int(run(hbt, *columns))
        seconds.append(time.process_time() - began)
        traded = float(hbt.state_values(0).trading_volume)
        hbt.close()
    print(json.dumps({"version": hft.__version__, "cpu_s": seconds[1:], "child_orders": sent, "filled": traded}))


if __name__ == "__main__":
    main()
