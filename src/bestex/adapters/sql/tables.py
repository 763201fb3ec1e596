"""The tables, made from the records, so that a row and its record cannot drift apart.

Decimals are int64 scaled by 1e-8, times int64 nanoseconds, nested values JSON text. A test holds the Alembic history
against this metadata. The big append-only tables carry the UTC day of their time, so that a day can be dropped whole;
PostgreSQL keeps each day in a partition of its own (docs/decisions/0064-postgresql.md).
"""

import types
from decimal import Decimal
from typing import Any, Union, get_args, get_origin

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from bestex.domain.errors import InvalidInput
from bestex.domain.time import NS_PER_SECOND
from bestex.messages.records import RECORDS, FillRow, Record

metadata = MetaData()
SCALE = Decimal(10**8)
DAY_NS = 24 * 3600 * NS_PER_SECOND
_INT64_MAX = 2**63 - 1


class ScaledDecimal(TypeDecorator[Decimal]):
    """An exact decimal as int64 hundred-millionths."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        scaled = value * SCALE
        if scaled != scaled.to_integral_value():
            scaled = scaled.quantize(Decimal(1))  # an average: eight decimals are more than any tick has
        if abs(scaled) > _INT64_MAX:
            raise InvalidInput(
                f"{value} does not fit a column of eight decimals; the largest is {_INT64_MAX / SCALE}", value=value
            )
        return int(scaled)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value) / SCALE


class JsonText(TypeDecorator[Any]):
    """A nested value as JSON text, its decimals as exact numbers. Read back as text: the record's type decodes it."""

    impl = Text
    cache_ok = True

    _encoder = msgspec.json.Encoder(decimal_format="number", order="deterministic")

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else self._encoder.encode(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return value


_INDEXES: dict[str, tuple[str, ...]] = {
    "audit": ("time_ns",),
    "parent_orders": ("state", "instrument_id", "created_time_ns"),
    "strategy_selections": ("order_id", "created_at_ns"),
    "strategy_performance": ("execution_date",),
    "child_orders": ("order_id",),
    "fills": ("order_id", "received_time_ns"),
    "execution_status": ("state",),
    "execution_monitoring": ("updated_time_ns",),
    "alerts": ("order_id", "state", "raised_time_ns"),
    "execution_quality_results": ("created_at_ns", "quality_grade"),
}


def column_type(annotation: Any) -> tuple[TypeEngine[Any], bool]:
    """The column type of a record field, and whether it may be null."""
    options = [annotation]
    if get_origin(annotation) in (Union, types.UnionType):
        options = list(get_args(annotation))
    nullable = type(None) in options
    kinds = [item for item in options if item is not type(None)]
    match kinds:
        case [kind] if kind is str:
            return String(), nullable
        case [kind] if kind is bool:
            return Boolean(), nullable
        case [kind] if kind is int:
            return BigInteger(), nullable
        case [kind] if kind is float:
            return Float(), nullable
        case [kind] if kind is Decimal:
            return ScaledDecimal(), nullable
        case _:
            return JsonText(), nullable


# Big tables of rows, by the field whose UTC day they are kept under. The journal goes by its message's time.
DAY_OF: dict[type[Record], str] = {FillRow: "received_time_ns"}
BY_DAY = ("journal", *(record.table for record in DAY_OF))

_LONG_TEXT = {"response", "body", "selection_rationale", "recommendation_text", "reason", "recommendation", "message"}


def _table(record: type[Record]) -> Table:
    columns = []
    for item in msgspec.structs.fields(record):
        kind, nullable = column_type(item.type)
        if isinstance(kind, String) and item.name in _LONG_TEXT:
            kind = Text()
        columns.append(Column(item.name, kind, primary_key=item.name in record.key, nullable=nullable))
    if record in DAY_OF:
        columns.append(Column("day", Integer, nullable=False))
    indexes = [Index(f"ix_{record.table}_{name}", name) for name in _INDEXES.get(record.table, ())]
    return Table(record.table, metadata, *columns, *indexes)


TABLES: dict[type[Record], Table] = {record: _table(record) for record in RECORDS}

JOURNAL = Table(
    "journal",
    metadata,
    Column("shard", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("event_id", String(36), nullable=False),
    Column("event_type", String(60), nullable=False),
    Column("order_id", String(100), nullable=False),
    Column("source_service", String(40), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("day", Integer, nullable=False),
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("shard", "position"),
    UniqueConstraint("shard", "event_id", name="uq_journal_event"),
    UniqueConstraint("shard", "order_id", "source_service", "sequence", name="uq_journal_order_source_sequence"),
    Index("ix_journal_source_position", "source_service", "position"),
    Index("ix_journal_order_position", "order_id", "position"),
)

LEASES = Table(
    "leases",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("holder", String(200), nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("until_ns", BigInteger, nullable=False),
)


def day_of(time_ns: int) -> int:
    """UTC days since 1970-01-01."""
    return time_ns // DAY_NS
