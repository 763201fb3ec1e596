"""Says at once that another process has published, on PostgreSQL: NOTIFY inside the publication's transaction."""

import asyncio
import contextlib
from collections.abc import Callable

from sqlalchemy.engine import make_url

from bestex.adapters.sql.bus_statements import Place

_CONNECT_SECONDS = 5.0
_AGAIN_SECONDS = 1.0


async def listen(url: str, channel: str, heard: Callable[[Place], None]) -> None:
    """For ever, over lost connections. Readers look by themselves too, so a word that is lost is only a delay."""
    import asyncpg

    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)

    def notified(_connection: object, _process: int, _channel: str, payload: object) -> None:
        topic, _, shard = str(payload).rpartition("/")
        heard((topic, int(shard)))

    while True:
        with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
            connection = await asyncpg.connect(address, timeout=_CONNECT_SECONDS)
            try:
                lost = asyncio.Event()
                connection.add_termination_listener(lambda _, lost=lost: lost.set())
                await connection.add_listener(channel, notified)
                await lost.wait()
            finally:
                with contextlib.suppress(Exception):
                    await connection.close(timeout=_CONNECT_SECONDS)
        await asyncio.sleep(_AGAIN_SECONDS)
