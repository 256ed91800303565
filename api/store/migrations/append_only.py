"""Tables whose rows the database itself refuses to change or remove."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__ = ["append_only"]

_REFUSES = """
CREATE OR REPLACE FUNCTION vedette_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END
$$
"""


def append_only(table: str) -> None:
    """Let a table take new rows alone, from this migration on."""
    if op.get_context().dialect.name == "postgresql":
        op.execute(sa.text(_REFUSES))
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION vedette_append_only()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
