"""The tables of a bus in a SQL database: records numbered without gaps per shard, and who has heard how far."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table, Text

from bestex.adapters.sql.tables import metadata

_PLACE = ("topic", "shard")


def _place() -> list[Column[str] | Column[int]]:
    return [
        Column("topic", String(), primary_key=True),
        Column("shard", Integer, primary_key=True, autoincrement=False),
    ]


# One row a shard. It is locked while its shard is written: numbers become visible in their order, without gaps.
SHARDS = Table(
    "bus_shards",
    metadata,
    *_place(),
    Column("newest", BigInteger, nullable=False),  # number of the newest record; 0 before the first
    Column("removed", BigInteger, nullable=False),  # records up to this number are no longer kept
    Column("newest_ns", BigInteger, nullable=False),  # when the newest was published
)

BUS_RECORDS = Table(
    "bus_records",
    metadata,
    *_place(),
    Column("number", BigInteger, primary_key=True, autoincrement=False),  # from 1, without gaps
    Column("key", String(), nullable=False),
    Column("headers", Text, nullable=False),  # JSON
    Column("body", LargeBinary, nullable=False),
    Column("published_ns", BigInteger, nullable=False),
    Index("ix_bus_records_published_ns", *_PLACE, "published_ns"),
)

PRODUCERS = Table(
    "bus_producers",
    metadata,
    *_place(),
    Column("producer", String(), primary_key=True),
    Column("newest", BigInteger, nullable=False),  # its newest sequence in the shard
)

CURSORS = Table(
    "bus_cursors",
    metadata,
    *_place(),
    Column("name", String(), primary_key=True),
    Column("done", BigInteger, nullable=False),  # number of the last acknowledged record
    Column("is_paused", Boolean, nullable=False),
)
