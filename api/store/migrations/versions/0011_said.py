"""What was said of a record to whom: merges and splits are looked up too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_TOLD = (
    "(kind IN ('crossing.reviewed', 'crossing.merged', 'crossing.split', 'release.created', 'release.recalled', "
    "'record.erased') OR record_type = 'cue')"
)


def upgrade() -> None:
    """Make the index anew."""
    op.drop_index("ix_event_said", "event")
    told = sa.text(_TOLD)
    op.create_index(
        "ix_event_said", "event", ["record_id", "audience", "n"], unique=False, sqlite_where=told, postgresql_where=told
    )
