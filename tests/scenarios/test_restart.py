"""The process dies in the middle of the day; the next one goes on as if it had only blinked."""

import random
import sqlite3
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from bestex.messages.codec import decode
from bestex.messages.envelope import Message
from bestex.messages.execution import ChildOrderSubmitted, ExecutionReport
from tests.desk_process import DeskProcess

ORDERS = {
    "twap": {"instrument_id": "AAPL", "side": "BUY", "quantity": 6_000, "algorithm": "TWAP"},
    "pov": {"instrument_id": "MSFT", "side": "SELL", "quantity": 3_000, "algorithm": "PARTICIPATION_RATE"},
    "chosen": {"instrument_id": "KRNL", "side": "BUY", "quantity": 800},
}


def journal(state_dir: Path) -> list[Message[Any]]:
    connection = sqlite3.connect(f"file:{state_dir / 'desk.sqlite'}?mode=ro", uri=True)
    rows = connection.execute("SELECT body FROM journal ORDER BY position").fetchall()
    connection.close()
    return [decode(body) for (body,) in rows]


def check_laws(messages: list[Message[Any]]) -> None:
    """No gap in a sequence, no child sent twice, no fill counted twice, never more sent than ordered."""
    last: dict[tuple[str, str], int] = defaultdict(int)
    for message in messages:
        key = (message.order_id, message.source_service)
        assert message.sequence == last[key] + 1, (key, message.sequence, last[key])
        last[key] = message.sequence
    children = Counter(m.payload.child.child_order_id for m in messages if isinstance(m.payload, ChildOrderSubmitted))
    assert [child for child, times in children.items() if times > 1] == []
    fills: dict[str, int] = defaultdict(int)
    live: dict[str, int] = defaultdict(int)
    seen: set[tuple[str, str]] = set()
    left: dict[str, int] = {}
    for message in messages:
        match message.payload:
            case ChildOrderSubmitted(child=child):
                live[message.order_id] += int(child.quantity)
                left[child.child_order_id] = int(child.quantity)
                assert fills[message.order_id] + live[message.order_id] <= ORDERS[message.order_id]["quantity"]
            case ExecutionReport(report=report) if report.kind == "FILL":
                assert (report.venue, report.execution_id) not in seen
                seen.add((report.venue, report.execution_id))
                fills[message.order_id] += int(report.quantity)
                live[message.order_id] -= int(report.quantity)
                left[report.child_order_id] -= int(report.quantity)
            case ExecutionReport(report=report) if report.kind in ("CANCELLED", "REJECTED", "EXPIRED"):
                live[message.order_id] -= left[report.child_order_id]
                left[report.child_order_id] = 0
            case _:
                pass
    assert all(value >= 0 for value in left.values())


def send(desk: DeskProcess) -> None:
    for order_id, order in ORDERS.items():
        desk.post("/orders", {"order_id": order_id, **order})


def test_a_clean_stop_and_restart_resumes_the_working_orders(tmp_path: Path) -> None:
    desk = DeskProcess(tmp_path, speed=60)
    send(desk)
    desk.until("/orders/twap", lambda row: row["filled_quantity"] > 0)
    before = desk.get("/desk")["desk_time"]
    assert desk.stop() == 0
    again = DeskProcess(tmp_path, speed=200)
    try:
        assert again.get("/desk")["desk_time"] >= before
        for order_id in ORDERS:
            row = again.until(f"/orders/{order_id}", lambda row: row["state"] in ("FILLED", "EXPIRED"))
            fills = again.get(f"/orders/{order_id}/fills?limit=1000")["items"]
            assert sum(fill["quantity"] for fill in fills) == row["filled_quantity"]
            again.until(f"/monitoring/{order_id}/analytics", lambda row: row["trade_executed"] is not None)
    finally:
        again.stop()
    check_laws(journal(tmp_path))


def test_orders_survive_repeated_kill_9_with_nothing_lost_or_doubled(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    randomness = random.Random(seed)
    desk = DeskProcess(tmp_path, speed=60)
    send(desk)
    acknowledged = set(ORDERS)
    for _ in range(4):
        time.sleep(randomness.uniform(0.2, 2.0))
        desk.kill()
        desk = DeskProcess(tmp_path, speed=60)
        assert {row["order_id"] for row in desk.get("/orders")["items"]} == acknowledged
    desk.kill()
    check_laws(journal(tmp_path))
    desk = DeskProcess(tmp_path, speed=200)
    try:
        for order_id in ORDERS:
            desk.until(f"/orders/{order_id}", lambda row: row["state"] in ("FILLED", "EXPIRED"))
    finally:
        desk.stop()
    messages = journal(tmp_path)
    check_laws(messages)
    completed = Counter(message.order_id for message in messages if message.event_type == "execution_completed")
    assert completed == dict.fromkeys(ORDERS, 1)


def test_the_laws_catch_a_journal_in_which_a_child_was_sent_twice(tmp_path: Path) -> None:
    desk = DeskProcess(tmp_path, speed=60)
    send(desk)
    desk.until("/orders/twap", lambda row: row["filled_quantity"] > 0)
    desk.stop()
    messages = journal(tmp_path)
    check_laws(messages)
    sent = next(message for message in messages if isinstance(message.payload, ChildOrderSubmitted))
    with pytest.raises(AssertionError):
        check_laws([*messages, sent])
