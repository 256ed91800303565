"""Whoever renews the secret of a webhook twice in a day does not take the one in use from whoever receives."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Room for several secrets of before, each with the moment until which it counts."""
    with op.batch_alter_table("webhook") as webhook:
        webhook.add_column(sa.Column("old_secrets", sa.Text(), nullable=True))
    webhooks = sa.table("webhook", *map(sa.column, ("id", "old_secret", "old_until_us", "old_secrets")))
    bind = op.get_bind()
    for row in bind.execute(sa.select(webhooks.c.id, webhooks.c.old_secret, webhooks.c.old_until_us)).all():
        kept = [] if row.old_secret is None else [[row.old_secret, row.old_until_us]]
        bind.execute(webhooks.update().where(webhooks.c.id == row.id).values(old_secrets=json.dumps(kept)))
    with op.batch_alter_table("webhook") as webhook:
        webhook.alter_column("old_secrets", existing_type=sa.Text(), nullable=False)
        webhook.drop_column("old_secret")
        webhook.drop_column("old_until_us")
