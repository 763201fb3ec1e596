"""What is wrong where a process of the separate desk cannot start: everything at once, not one thing a start."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from bestex.adapters.sql.database import open_database
from bestex.app import separate
from bestex.app.separate import Separate
from bestex.app.settings import Settings
from bestex.domain.errors import BestexError, BusUnavailable, InvalidInput, StoreUnavailable


@contextlib.asynccontextmanager
async def started(settings: Settings) -> AsyncIterator[Separate]:
    """`separate.running`, which looks at all of its servers again when one of them is not as it should be.

    Raises:
        InvalidInput: naming everything that must be put right first: settings of the database's server, tables that are
            newer than this program, another number of shards than the bus was made with, other settings than a process
            that runs.
        StoreUnavailable, BusUnavailable: if a server does not answer within its adapter's patience; the message names
            every one that does not.
    """
    async with contextlib.AsyncExitStack() as stack:
        try:
            process = await stack.enter_async_context(separate.running(settings))
        except (InvalidInput, StoreUnavailable, BusUnavailable) as first:
            raise all_of([first, *await _looked_at(settings)]) from None
        yield process


async def _looked_at(settings: Settings) -> list[BestexError]:
    looks = (_database(settings, settings.target), _database(settings, "desk"), _bus(settings))
    found = await asyncio.gather(*looks, return_exceptions=True)
    for problem in found:
        if problem is not None and not isinstance(problem, BestexError):
            raise problem
    return [problem for problem in found if isinstance(problem, BestexError)]


async def _database(settings: Settings, schema: str) -> None:
    database = await open_database(separate.store_url(settings), schema=schema, connections=1)
    await database.close()


async def _bus(settings: Settings) -> None:
    bus = await separate.open_bus(settings)
    await bus.close()


def all_of(problems: list[BestexError]) -> BestexError:
    """One error of several, each said once. What is wrong comes before what is away: waiting does not help it."""
    wrong = [item for problem in problems if isinstance(problem, InvalidInput) for item in problem.errors]
    away = [problem for problem in problems if not isinstance(problem, InvalidInput)]
    if wrong:
        # Refused input ends the process for good, so a server that is away is said beside it.
        items = [*wrong, *(InvalidInput(item.message, field=item.field, expected=item.expected) for item in away)]
        once = list({_server(item): item for item in reversed(items)}.values())[::-1]
        return InvalidInput("; ".join(item.message for item in once), errors=once)
    once_away = list({_server(item): item for item in reversed(away)}.values())[::-1]
    return type(away[0])("; ".join(item.message for item in once_away), field=away[0].field, expected=away[0].expected)


def _server(problem: BestexError) -> tuple[str | None, str]:
    """The schemas of one database are away together."""
    return problem.field, problem.message.partition(", schema")[0] if problem.field == "store.url" else problem.message
