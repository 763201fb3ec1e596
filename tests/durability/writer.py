"""Commits numbered batches to the desk's own journal and acknowledges each: the process whose writes are recorded.

`python -m tests.durability.writer FOLDER --commits 300 --synchronous FULL`
"""

import argparse
import asyncio
import os
import random
from decimal import Decimal
from pathlib import Path

from bestex.adapters.sql.journal import SqlJournal
from bestex.domain.ids import time_ordered_uuid
from bestex.messages.envelope import Message
from bestex.messages.orders import CancelOrder
from bestex.messages.records import DeskStateRow, FillRow
from bestex.ports import Batch

ACKNOWLEDGED = "acknowledged"  # four bytes a commit, written after its append has returned
LAST = "last-batch"


def batch(number: int) -> Batch:
    """Batch `number`, from 1: one to four messages and the rows that say so, the same in every process."""
    randomness = random.Random(number)
    messages = [
        Message(
            event_id=time_ordered_uuid(number, number, place),
            event_type="cancel_order",
            schema_version=1,
            time_ns=number,
            source_service="api",
            order_id=f"order-{number}",
            sequence=place + 1,
            causation_id=None,
            correlation_id=f"batch-{number}",
            payload=CancelOrder(order_id=f"order-{number}", actor="writer", reason="r" * randomness.randrange(2_000)),
        )
        for place in range(1 + number % 4)
    ]
    fill = FillRow(
        execution_id=f"e{number}",
        order_id=f"order-{number}",
        child_order_id=f"order-{number}-0001-001",
        instrument_id="AAPL",
        side="BUY",
        venue="NYSE",
        quantity=Decimal(number),
        price=Decimal("187.345"),
        liquidity="ADDED",
        fee=Decimal("-0.2"),
        bid=None,
        ask=Decimal("187.35"),
        venue_time_ns=number,
        received_time_ns=number,
    )
    return Batch(messages=messages, records=[fill, DeskStateRow(name=LAST, value={"number": number})])


async def write(folder: Path, commits: int, synchronous: str) -> None:
    journal = await SqlJournal.open_file(folder / "desk.sqlite")
    if synchronous != "FULL":
        await journal._transaction(
            lambda connection: connection.exec_driver_sql(f"PRAGMA synchronous={synchronous}").close()
        )
    told = os.open(folder / ACKNOWLEDGED, os.O_WRONLY | os.O_CREAT)

    async def commit(number: int) -> None:
        await journal.append(batch(number))
        os.pwrite(told, number.to_bytes(4, "little"), 0)

    number = 1
    while number <= commits:
        together = min(1 + number % 3, commits - number + 1)  # some wait alone, some share a transaction
        await asyncio.gather(*(commit(number + place) for place in range(together)))
        number += together
    await journal.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--commits", type=int, default=300)
    parser.add_argument("--synchronous", choices=["FULL", "NORMAL"], default="FULL")
    arguments = parser.parse_args()
    asyncio.run(write(arguments.folder, arguments.commits, arguments.synchronous))
