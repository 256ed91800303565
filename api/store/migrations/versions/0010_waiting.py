"""What waits for something, found without reading all that does not: copies to be made, receipts to come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_COPIES = "media = 'blurred' OR media = 'redacted'"
_WAITING = "recalled_us IS NOT NULL AND receipt_us IS NULL"


def upgrade() -> None:
    """Make the indexes."""
    for name, table, column, rule in (
        ("ix_readable_copies", "readable", "record_id", sa.text(_COPIES)),
        ("ix_release_waiting", "release", "partner_id", sa.text(_WAITING)),
    ):
        op.create_index(name, table, [column], unique=False, sqlite_where=rule, postgresql_where=rule)
