"""For a time calls to a webhook are signed with its old secret too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Room for the secret before, and until when it counts."""
    with op.batch_alter_table("webhook") as webhook:
        webhook.add_column(sa.Column("old_secret", sa.Text(), nullable=True))
        webhook.add_column(sa.Column("old_until_us", sa.BigInteger(), nullable=True))
