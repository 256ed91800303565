"""What was said of a record to whom: alerts look it up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables."""
    op.create_index(
        "ix_event_said",
        "event",
        ["record_id", "audience", "n"],
        unique=False,
        sqlite_where=sa.text(
            "(kind IN ('crossing.reviewed', 'release.created', 'release.recalled', 'record.erased') OR record_type = 'cue')"
        ),
        postgresql_where=sa.text(
            "(kind IN ('crossing.reviewed', 'release.created', 'release.recalled', 'record.erased') OR record_type = 'cue')"
        ),
    )
