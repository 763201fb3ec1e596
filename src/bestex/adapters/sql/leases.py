"""Leases in a table, by the database's own clock. Whoever writes checks its epoch in the same transaction."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, and_, case, or_, select, update

from bestex.adapters.sql.database import Database, Result, open_database, patiently
from bestex.domain.errors import Fenced
from bestex.domain.time import NS_PER_SECOND
from bestex.ports import Lease


class SqlLeases:
    """`Leases` in one table for all services and instances. A holder's name is of one start of one process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._owns_database = False

    @classmethod
    async def open(cls, url: str, *, schema: str | None = "desk", **options: Any) -> "SqlLeases":
        """Connect by a connection of its own. Raises as `open_database`."""
        leases = cls(await open_database(url, schema=schema, **options))
        leases._owns_database = True
        return leases

    async def close(self) -> None:
        if self._owns_database:
            await self._database.close()

    async def acquire(self, name: str, holder: str, seconds: float) -> Lease | None:
        epoch = await self._write(partial(_acquire, self._database, name, holder, seconds))
        return None if epoch is None else Lease(name=name, holder=holder, epoch=epoch, seconds=seconds)

    async def renew(self, lease: Lease) -> bool:
        return await self._write(partial(_renew, self._database, lease))

    async def release(self, lease: Lease) -> None:
        await self._write(partial(_release, self._database, lease))

    async def holders(self) -> Sequence[Lease]:
        table = self._database.leases()
        query = select(table).where(table.c.until_ns > self._database.now_ns()).order_by(table.c.name)
        found = await self._database.read(lambda connection: connection.execute(query).all())
        return [Lease(name=row.name, holder=row.holder, epoch=row.epoch, seconds=row.seconds) for row in found]

    async def _write(self, work: Callable[[Connection], Result]) -> Result:
        # Each of these may be done twice: who holds the lease already is granted the same epoch.
        return await patiently(self._database, partial(self._database.write, work), self._database.patience_seconds)


def check(database: Database, lease: Lease, connection: Connection) -> None:
    """Hold the lease's row until the transaction ends. One that has run out but is nobody else's still counts.

    Raises:
        Fenced: if a later epoch has been granted.
    """
    table = database.leases()
    found = connection.execute(
        select(table.c.epoch, table.c.holder).where(table.c.name == lease.name).with_for_update(read=True)
    ).first()
    epoch, holder = (0, "nobody") if found is None else (found.epoch, found.holder)
    if (epoch, holder) != (lease.epoch, lease.holder):
        raise Fenced(
            f"lease {lease.name} epoch {lease.epoch} was followed by epoch {epoch}",
            field="lease",
            value=lease.epoch,
            expected=f"epoch {epoch} of {holder}",
        )


def _acquire(database: Database, name: str, holder: str, seconds: float, connection: Connection) -> int | None:
    """The epoch granted; None while somebody else's lease runs. One statement, so that two cannot both be granted."""
    table, now = database.leases(), database.now_ns()
    values = {"holder": holder, "seconds": seconds, "until_ns": now + _ns(seconds)}
    runs = table.c.until_ns > now
    is_own = table.c.holder == holder
    statement = (
        database.insert(table)
        .values(name=name, epoch=1, **values)
        .on_conflict_do_update(
            index_elements=["name"],
            set_={**values, "epoch": case((and_(runs, is_own), table.c.epoch), else_=table.c.epoch + 1)},
            where=or_(table.c.until_ns <= now, is_own),
        )
        .returning(table.c.epoch)
    )
    epoch = connection.execute(statement).scalar()
    return None if epoch is None else int(epoch)


def _renew(database: Database, lease: Lease, connection: Connection) -> bool:
    table, now = database.leases(), database.now_ns()
    return bool(
        connection.execute(
            _own(database, lease).where(table.c.until_ns > now).values(until_ns=now + _ns(lease.seconds))
        ).rowcount
    )


def _release(database: Database, lease: Lease, connection: Connection) -> None:
    connection.execute(_own(database, lease).values(until_ns=0))


def _own(database: Database, lease: Lease) -> Any:
    table = database.leases()
    return update(table).where(table.c.name == lease.name, table.c.holder == lease.holder, table.c.epoch == lease.epoch)


def _ns(seconds: float) -> int:
    return int(seconds * NS_PER_SECOND)
