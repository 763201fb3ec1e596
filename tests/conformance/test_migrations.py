"""The Alembic history makes exactly the tables that the records describe."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from bestex.adapters.sql.migrate import upgrade
from bestex.adapters.sql.tables import metadata


def test_the_migrations_lead_to_the_tables_of_the_records() -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        upgrade(connection)
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []
    engine.dispose()
