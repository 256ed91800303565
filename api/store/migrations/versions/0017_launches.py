"""Ground stations that stand by, and launches."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "ground_station",
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("told_us", sa.BigInteger(), nullable=False),
        sa.Column("busy", sa.Text(), nullable=True),
        sa.Column("vehicles", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source"),
    )
    op.create_table(
        "launch",
        sa.Column("planning_id", sa.String(length=32), nullable=False),
        sa.Column("plan_name", sa.Text(), nullable=False),
        sa.Column("plan_sha256", sa.String(length=64), nullable=False),
        sa.Column("sysids", sa.Text(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("record_id", sa.String(length=32), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("source", "person", "name", "client_id", "wish")),
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
    op.create_index("ix_launch_record", "launch", ["record_id"], unique=False)
    op.create_index("ix_launch_source", "launch", ["source", "given_us", "id"], unique=False)
    op.create_index("ix_launch_given", "launch", ["given_us", "id"], unique=False)
