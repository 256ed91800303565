"""What was released of a record to whom, whether it stands or not: subscriptions look it up."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the index."""
    op.create_index("ix_release_record", "release", ["record_id", "partner_id", "released_us"])
