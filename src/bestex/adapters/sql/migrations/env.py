"""Alembic runs inside the connection it is given; the desk has no other."""

from typing import Any, Literal

from alembic import context

from bestex.adapters.sql import bus_tables  # noqa: F401  (it declares its tables)
from bestex.adapters.sql.tables import JsonText, ScaledDecimal, metadata


def render_item(kind: str, item: Any, _: Any) -> str | Literal[False]:
    """A migration names what the database stores, so that it stays true when the Python types change."""
    if kind == "type" and isinstance(item, ScaledDecimal):
        return "sa.BigInteger()"
    if kind == "type" and isinstance(item, JsonText):
        return "sa.Text()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
