"""Releases a page at a time, without sorting all that there are."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the index."""
    op.create_index("ix_release_time", "release", ["released_us", "id"], unique=False)
