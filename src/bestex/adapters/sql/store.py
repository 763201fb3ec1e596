"""Reads over the schemas of all services in one PostgreSQL database: each record where its service saves it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import MetaData, Table, and_, literal, select, true, union_all

from bestex.adapters.sql import rows
from bestex.adapters.sql.database import Database, checked_schema, open_database
from bestex.adapters.sql.postgres import DESK_SCHEMA
from bestex.adapters.sql.tables import TABLES
from bestex.messages.records import OWNERS, Record
from bestex.ports import Page, R


class SqlStore:
    """`Store` for clients of services that run apart. It cannot write.

    A record that every process keeps for itself (an Idempotency-Key, a read position) is got from whichever schema has
    it; `at` names the schema where that is not enough.
    """

    def __init__(self, database: Database, schemas: Mapping[str, str]) -> None:
        """
        Args:
            schemas: service (a value of `OWNERS`) -> schema of the process that hosts it.
        """
        self._database = database
        self._schemas = dict(schemas)
        self._tables: dict[tuple[type[Record], str], Table] = {}

    @classmethod
    async def open(cls, url: str, *, schemas: Mapping[str, str], **options: Any) -> "SqlStore":
        """Connect, read-only, with a pool of its own. Raises as `open_database`."""
        for schema in schemas.values():
            checked_schema(schema)
        database = await open_database(url, schema=DESK_SCHEMA, upgraded=False, read_only=True, **options)
        return cls(database, schemas)

    async def close(self) -> None:
        await self._database.close()

    def at(self, schema: str) -> "SchemaStore":
        """All records of one schema."""
        return SchemaStore(self._database, {record: self._table(record, checked_schema(schema)) for record in TABLES})

    async def get(self, record: type[R], *key: object) -> R | None:
        if record in OWNERS:
            return await rows.get(self._database, record, key, self._owned(record))
        found = []
        for number, schema in enumerate(dict.fromkeys(self._schemas.values())):
            table = self._table(record, schema)
            is_key = and_(true(), *(table.c[name] == value for name, value in zip(record.key, key, strict=True)))
            found.append(select(table, literal(number).label("_schema")).where(is_key))
        whole = union_all(*found).subquery()
        query = select(*(column for column in whole.c if column.name != "_schema")).order_by(whole.c._schema).limit(1)
        first = await self._database.read(lambda connection: rows.fetched(query, connection))
        return rows.as_record(record, first[0]) if first else None

    async def find(
        self,
        record: type[R],
        *,
        where: dict[str, object] | None = None,
        order_by: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page:
        """As `Store.find`, of records with an owner; of others say whose: `at(schema).find`."""
        table = self._owned(record)
        return await rows.find(
            self._database, record, where=where, order_by=order_by, limit=limit, cursor=cursor, table=table
        )

    def _owned(self, record: type[Record]) -> Table:
        assert record in OWNERS, f"every process keeps {record.table} of its own; say at(schema)"
        assert OWNERS[record] in self._schemas, f"no schema is given for service {OWNERS[record]}"
        return self._table(record, self._schemas[OWNERS[record]])

    def _table(self, record: type[Record], schema: str) -> Table:
        if (record, schema) not in self._tables:
            self._tables[record, schema] = TABLES[record].to_metadata(MetaData(), schema=schema)
        return self._tables[record, schema]


class SchemaStore:
    """`Store` over the rows of one schema."""

    def __init__(self, database: Database, tables: Mapping[type[Record], Table]) -> None:
        self._database = database
        self._tables = tables

    async def get(self, record: type[R], *key: object) -> R | None:
        return await rows.get(self._database, record, key, self._tables[record])

    async def find(
        self,
        record: type[R],
        *,
        where: dict[str, object] | None = None,
        order_by: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page:
        table = self._tables[record]
        return await rows.find(
            self._database, record, where=where, order_by=order_by, limit=limit, cursor=cursor, table=table
        )
