"""What is kept of a completed order when the database is not asked."""

import asyncio

import httpx2
import polars as pl

from bestex.app.settings import Settings
from tests.api.conftest import Until

V1 = "/api/v1"


async def test_the_fills_of_a_completed_order_are_kept_as_parquet(
    client: httpx2.AsyncClient, until: Until, settings: Settings
) -> None:
    order = {"order_id": "kept", "instrument_id": "AAPL", "side": "BUY", "quantity": 400, "algorithm": "TWAP"}
    await client.post(f"{V1}/orders", json=order | {"execution_instructions": {"execution_style": "AGGRESSIVE"}})
    await until(f"{V1}/monitoring/kept/analytics", lambda row: row["trade_executed"] is not None)
    fills = (await client.get(f"{V1}/orders/kept/fills")).json()["items"]
    folder = settings.state_dir / "history" / "fills"
    for _ in range(100):
        if list(folder.glob("*.parquet")):
            break
        await asyncio.sleep(0.05)
    frame = pl.read_parquet(folder / "*.parquet")
    assert frame["quantity_e8"].sum() == sum(fill["quantity"] for fill in fills) * 10**8
    assert set(frame["order_id"]) == {"kept"}
