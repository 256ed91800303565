"""What was said of a record to whom: alerts look it up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_TOLD = "(kind IN ('crossing.reviewed', 'release.created', 'release.recalled', 'record.erased') OR record_type = 'cue')"


def upgrade() -> None:
    """Make the tables."""
    told = sa.text(_TOLD)
    op.create_index(
        "ix_event_said", "event", ["record_id", "audience", "n"], unique=False, sqlite_where=told, postgresql_where=told
    )
