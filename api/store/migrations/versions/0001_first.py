"""The store as it was with SCHEMA_VERSION 2: crossings and cues in tables of their own."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from api.store.migrations.append_only import append_only

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "audit",
        _kept("seq", sa.BigInteger(), autoincrement=False),
        _kept("body", sa.Text()),
        _kept("hash", sa.String(length=64)),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_table(
        "audit_head",
        _kept("id", sa.BigInteger(), autoincrement=False),
        _kept("seq", sa.BigInteger()),
        _kept("hash", sa.String(length=64)),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "crossing",
        _kept("id", sa.String(length=32)),
        _kept("source", sa.Text()),
        _kept("source_id", sa.Text()),
        _kept("revision", sa.BigInteger()),
        _kept("update_us", sa.BigInteger()),
        _kept("time_us", sa.BigInteger()),
        _kept("kind", sa.Text()),
        _kept("status", sa.Text()),
        sa.Column("lat", sa.Double()),
        sa.Column("lon", sa.Double()),
        _kept("received_us", sa.BigInteger()),
        _kept("expires_us", sa.BigInteger()),
        sa.Column("marking", sa.Text()),
        _kept("digest", sa.String(length=64)),
        _kept("document", sa.Text()),
        _kept("review_state", sa.Text()),
        _kept("review_version", sa.BigInteger()),
        _kept("feature", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("source", "source_id"),
    )
    op.create_index("ix_crossing_time", "crossing", ["time_us", "id"], unique=False)
    op.create_table(
        "cue",
        _kept("id", sa.String(length=32)),
        _kept("sensor", sa.Text()),
        _kept("kind", sa.Text()),
        _kept("time_us", sa.BigInteger()),
        _kept("received_us", sa.BigInteger()),
        _kept("expires_us", sa.BigInteger()),
        _kept("digest", sa.String(length=64)),
        _kept("document", sa.Text()),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_cue_time", "cue", ["time_us", "id"], unique=False)
    op.create_table(
        "event",
        _kept("seq", sa.BigInteger(), autoincrement=False),
        _kept("time_us", sa.BigInteger()),
        _kept("kind", sa.Text()),
        sa.Column("crossing_id", sa.Text()),
        sa.Column("partner_id", sa.Text()),
        _kept("detail", sa.Text()),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_table(
        "partner",
        _kept("id", sa.String(length=32)),
        _kept("name", sa.Text()),
        _kept("created_us", sa.BigInteger()),
        sa.Column("ended_us", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "agreement",
        _kept("id", sa.String(length=32)),
        _kept("partner_id", sa.String(length=32)),
        _kept("terms", sa.Text()),
        _kept("created_us", sa.BigInteger()),
        sa.Column("valid_until_us", sa.BigInteger()),
        sa.Column("ended_us", sa.BigInteger()),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_agreement_partner_id", "agreement", ["partner_id"], unique=False)
    op.create_table(
        "api_key",
        _kept("id", sa.String(length=32)),
        _kept("digest", sa.String(length=64)),
        _kept("name", sa.Text()),
        _kept("role", sa.Text()),
        sa.Column("partner_id", sa.String(length=32)),
        _kept("created_us", sa.BigInteger()),
        sa.Column("expires_us", sa.BigInteger()),
        sa.Column("revoked_us", sa.BigInteger()),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_table(
        "evidence",
        _kept("crossing_id", sa.String(length=32)),
        _kept("revision", sa.BigInteger()),
        _kept("part", sa.Text()),
        _kept("sha256", sa.String(length=64)),
        _kept("size", sa.BigInteger()),
        _kept("name", sa.Text()),
        _kept("received_us", sa.BigInteger()),
        sa.ForeignKeyConstraint(["crossing_id"], ["crossing.id"]),
        sa.PrimaryKeyConstraint("crossing_id", "revision", "part"),
    )
    op.create_index("ix_evidence_sha256", "evidence", ["sha256"], unique=False)
    op.create_table(
        "release",
        _kept("id", sa.String(length=32)),
        _kept("crossing_id", sa.String(length=32)),
        _kept("revision", sa.BigInteger()),
        _kept("partner_id", sa.String(length=32)),
        _kept("agreement_id", sa.String(length=32)),
        _kept("released_us", sa.BigInteger()),
        _kept("visible_us", sa.BigInteger()),
        _kept("released_by", sa.String(length=32)),
        sa.Column("reason", sa.Text()),
        sa.Column("recalled_us", sa.BigInteger()),
        sa.Column("recalled_by", sa.Text()),
        sa.Column("recall_reason", sa.Text()),
        _kept("marking", sa.Text()),
        _kept("time_us", sa.BigInteger()),
        sa.Column("kind", sa.Text()),
        sa.Column("status", sa.Text()),
        sa.Column("lat", sa.Double()),
        sa.Column("lon", sa.Double()),
        _kept("media", sa.Boolean()),
        _kept("feature", sa.LargeBinary()),
        sa.ForeignKeyConstraint(["agreement_id"], ["agreement.id"]),
        sa.ForeignKeyConstraint(["crossing_id"], ["crossing.id"]),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"]),
        sa.ForeignKeyConstraint(["released_by"], ["api_key.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_release_active",
        "release",
        ["crossing_id", "partner_id"],
        unique=True,
        sqlite_where=sa.text("recalled_us IS NULL"),
        postgresql_where=sa.text("recalled_us IS NULL"),
    )
    op.create_index("ix_release_partner_time", "release", ["partner_id", "time_us", "crossing_id"], unique=False)
    op.create_table(
        "review",
        _kept("id", sa.String(length=32)),
        _kept("crossing_id", sa.String(length=32)),
        _kept("revision", sa.BigInteger()),
        _kept("version", sa.BigInteger()),
        _kept("digest", sa.String(length=64)),
        _kept("verdict", sa.Text()),
        sa.Column("reason", sa.Text()),
        _kept("reviewer", sa.String(length=32)),
        _kept("time_us", sa.BigInteger()),
        sa.ForeignKeyConstraint(["crossing_id"], ["crossing.id"]),
        sa.ForeignKeyConstraint(["reviewer"], ["api_key.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_review_crossing_id", "review", ["crossing_id"], unique=False)
    for table in ("audit", "event", "review"):
        append_only(table)


def _kept(*given: Any, **more: Any) -> sa.Column[Any]:
    return sa.Column(*given, nullable=False, **more)
