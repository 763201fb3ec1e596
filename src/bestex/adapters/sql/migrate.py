"""Brings a database, or one schema of it, to the newest revision of the Alembic history beside this file."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection

from bestex.domain.errors import InvalidInput

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"

# Text in the server's own language would sort pages in another order than SQLite does. Partitions follow their table.
_LANGUAGE_COLUMNS = """
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND a.attnum > 0 AND NOT a.attisdropped AND a.attcollation = 'pg_catalog."default"'::regcollation
    ORDER BY 1, 2
"""


def config(connection: Connection) -> "Config":
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", str(MIGRATIONS))
    settings.set_main_option("path_separator", "os")
    settings.attributes["connection"] = connection
    return settings


def newest() -> str:
    """The newest revision of the history."""
    return max(path.name for path in (MIGRATIONS / "versions").glob("[0-9]*.py")).partition("_")[0]


def revision(connection: Connection) -> str | None:
    """The revision that the database has; None before its first tables."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def upgrade(connection: Connection) -> None:
    """Alembic is loaded only where there is something to do: it takes half a second of every start.

    Raises:
        InvalidInput: if the tables are newer than this program.
    """
    found = revision(connection)
    if found == newest():
        return
    if found is not None and found > newest():
        raise InvalidInput(
            f"the tables are of revision {found}, and this program knows {newest()}: a newer one made them",
            field="store.revision",
            value=found,
            expected="the version of bestex that made them, or a newer one; there is no way back but a backup",
        )
    from alembic import command

    command.upgrade(config(connection), "head")
    if connection.dialect.name == "postgresql":
        _sort_text_by_bytes(connection)


def _sort_text_by_bytes(connection: Connection) -> None:
    changes: dict[str, list[str]] = {}
    for table, column, kind in connection.exec_driver_sql(_LANGUAGE_COLUMNS):
        changes.setdefault(table, []).append(f'ALTER COLUMN "{column}" TYPE {kind} COLLATE "C"')
    for table, columns in changes.items():
        connection.exec_driver_sql(f'ALTER TABLE "{table}" {", ".join(columns)}')
