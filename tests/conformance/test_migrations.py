"""The Alembic history makes exactly the tables that the records describe, on both databases."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, UniqueConstraint, create_engine, text

from bestex.adapters.sql.migrate import upgrade
from bestex.adapters.sql.postgres import PostgresDatabase
from bestex.adapters.sql.tables import BY_DAY, metadata
from tests.databases import postgres_database


def differences(connection: Connection, wanted: MetaData) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": False})
    return list(compare_metadata(context, wanted))


def with_days_in_keys() -> MetaData:
    """The tables as PostgreSQL keeps them: a unique constraint of a partitioned table names its partition's column."""
    wanted = MetaData()
    for table in metadata.sorted_tables:
        copy = table.to_metadata(wanted)
        for constraint in [item for item in copy.constraints if isinstance(item, UniqueConstraint)]:
            if table.name in BY_DAY:
                copy.constraints.remove(constraint)
                names = [column.name for column in constraint.columns]
                copy.append_constraint(UniqueConstraint(*names, "day", name=constraint.name))
    return wanted


def test_the_migrations_lead_to_the_tables_of_the_records() -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        upgrade(connection)
        assert differences(connection, metadata) == []
    engine.dispose()


async def test_the_same_history_leads_there_on_postgresql_in_each_schema() -> None:
    with postgres_database() as url:
        for schema in ("algorithm", "quality"):
            database = await PostgresDatabase.open(url, schema=schema)
            assert await database.read(lambda connection: differences(connection, with_days_in_keys())) == []
            await database.close()


async def test_the_search_for_differences_finds_one() -> None:
    with postgres_database() as url:
        database = await PostgresDatabase.open(url, schema="algorithm")
        await database.write(lambda connection: connection.execute(text("DROP INDEX ix_fills_order_id")))
        assert await database.read(lambda connection: differences(connection, with_days_in_keys())) != []
        await database.close()


async def test_text_sorts_by_its_bytes_whatever_language_the_server_speaks() -> None:
    with postgres_database() as url:
        database = await PostgresDatabase.open(url, schema="algorithm")
        language = await database.read(
            lambda connection: connection.execute(
                text(
                    "SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
                    " WHERE relnamespace = 'algorithm'::regnamespace AND relkind IN ('r', 'p')"
                    " AND attcollation = 'pg_catalog.\"default\"'::regcollation AND relname <> 'alembic_version'"
                )
            ).scalar()
        )
        assert language == 0
        await database.close()
