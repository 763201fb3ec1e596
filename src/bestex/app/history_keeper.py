"""Completed orders' fills go into columns: one Parquet file a day, read with Polars or anything else."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import structlog

from bestex.messages.envelope import Message
from bestex.messages.monitoring import TradeExecuted
from bestex.messages.records import FillRow
from bestex.ports import Feed, Store

log = structlog.get_logger()


class HistoryKeeper:
    """Listens for `trade_executed`. Writing a fill again changes nothing."""

    def __init__(self, folder: Path, store: Store) -> None:
        self._folder = folder
        self._store = store
        self._done: asyncio.Queue[TradeExecuted] = asyncio.Queue()

    def listen(self, feed: Feed) -> Callable[[], None]:
        return feed.subscribe(self._note)

    async def run(self) -> None:
        """Write until cancelled; a full disk is logged and does not stop the desk."""
        while True:
            trade = await self._done.get()
            try:
                await self._keep(trade)
            except OSError as error:
                log.error("history not written", order_id=trade.execution.order_id, error=str(error))

    def _note(self, _: int, message: Message[Any]) -> None:
        if isinstance(message.payload, TradeExecuted):
            self._done.put_nowait(message.payload)

    async def _keep(self, trade: TradeExecuted) -> None:
        fills = (await self._store.find(FillRow, where={"order_id": trade.execution.order_id}, limit=100_000)).rows
        await asyncio.to_thread(_write, self._folder, fills)


def _write(folder: Path, fills: Sequence[FillRow]) -> None:
    # Polars is loaded when the first order is complete: it takes half a second that a start should not wait for.
    from bestex.adapters.marketdata.parquet import ParquetHistory

    ParquetHistory(folder).write_fills(fills)
