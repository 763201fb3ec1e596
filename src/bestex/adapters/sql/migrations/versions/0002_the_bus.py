"""The bus"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bus_shards",
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("newest", sa.BigInteger(), nullable=False),
        sa.Column("removed", sa.BigInteger(), nullable=False),
        sa.Column("newest_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "shard"),
    )
    op.create_table(
        "bus_records",
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("published_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "shard", "number"),
    )
    op.create_index("ix_bus_records_published_ns", "bus_records", ["topic", "shard", "published_ns"], unique=False)
    op.create_table(
        "bus_producers",
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("producer", sa.String(), nullable=False),
        sa.Column("newest", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "shard", "producer"),
    )
    op.create_table(
        "bus_cursors",
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("is_paused", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "shard", "name"),
    )


def downgrade() -> None:
    for table in ("bus_cursors", "bus_producers", "bus_records", "bus_shards"):
        op.drop_table(table)
