"""Days of the big tables on PostgreSQL: each a partition of its own, made ahead of its first row, dropped whole.

A partition is made beside its table and then attached: that waits for no reader or writer of the other days.
"""

from collections.abc import Iterable
from datetime import date, timedelta

from sqlalchemy import Connection, text

from bestex.adapters.sql.tables import BY_DAY

KEPT = -1  # the day of what outlives its day: messages of no single order
_FIRST = date(1970, 1, 1)
_PARTITIONS = text(
    """
    SELECT child.relname FROM pg_inherits
    JOIN pg_class child ON child.oid = inhrelid
    JOIN pg_class parent ON parent.oid = inhparent
    WHERE parent.relname = :table AND parent.relnamespace = current_schema()::regnamespace
      AND parent.relkind = 'p'
    ORDER BY 1
    """
)


def date_of(day: int) -> date:
    """The UTC date of a day counted from 1970-01-01."""
    return _FIRST + timedelta(days=day)


def day_of_date(found: date) -> int:
    return (found - _FIRST).days


def name_of(table: str, day: int) -> str:
    return f"{table}_kept" if day == KEPT else f"{table}_{date_of(day):%Y_%m_%d}"


def days(connection: Connection) -> list[int]:
    """Days that have partitions, in order; `KEPT` among them where it has one."""
    found = connection.execute(_PARTITIONS, {"table": BY_DAY[0]}).scalars()
    ends = [name.removeprefix(f"{BY_DAY[0]}_") for name in found]
    return sorted(KEPT if end == "kept" else day_of_date(date(*map(int, end.split("_")))) for end in ends)


def make(wanted: Iterable[int], connection: Connection) -> list[int]:
    """Make what is missing of the wanted days; returns the days that were made."""
    # Instances of one service share its schema: one makes a day, the others find it made.
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(current_schema()), hashtext('days'))"))
    missing = sorted(set(wanted) - set(days(connection)))
    for day in missing:
        for table in BY_DAY:
            name = name_of(table, day)
            connection.exec_driver_sql(f'CREATE TABLE "{name}" (LIKE "{table}" INCLUDING ALL)')
            connection.exec_driver_sql(
                f'ALTER TABLE "{table}" ATTACH PARTITION "{name}" FOR VALUES FROM ({day}) TO ({day + 1})'
            )
    return missing


def drop(day: int, connection: Connection) -> None:
    """Remove a day with all its rows."""
    for table in BY_DAY:
        connection.exec_driver_sql(f'DROP TABLE IF EXISTS "{name_of(table, day)}"')
