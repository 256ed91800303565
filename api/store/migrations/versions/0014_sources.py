"""Keys are bound to the sources that they deliver for; those from before may go on delivering for all."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_BEFORE = """
UPDATE api_key_terms SET sources = '["*"]'
WHERE key_id IN (SELECT id FROM api_key WHERE role IN ('pilot', 'sensor'))
"""
_WITHOUT_TERMS = """
INSERT INTO api_key_terms (key_id, sources)
SELECT id, '["*"]' FROM api_key
WHERE role IN ('pilot', 'sensor') AND id NOT IN (SELECT key_id FROM api_key_terms)
"""


def upgrade() -> None:
    """Add the column."""
    op.add_column("api_key_terms", sa.Column("sources", sa.Text(), nullable=True))
    op.execute(_BEFORE)
    op.execute(_WITHOUT_TERMS)
