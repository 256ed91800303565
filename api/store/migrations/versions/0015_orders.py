"""Orders to vehicles."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "vehicle_order",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("record_id", sa.String(length=32), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("source", "source_id", "person", "name", "client_id", "kind", "wish")
        ),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("given_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("changed_us", sa.BigInteger(), nullable=False),
        sa.Column("station", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("person", "client_id"),
    )
    op.create_index("ix_vehicle_order_record", "vehicle_order", ["record_id", "given_us", "id"])
    op.create_index("ix_vehicle_order_given", "vehicle_order", ["given_us", "id"])
