"""Account: rules of retention, holds, tombstones, public figures; reviews whose reason may be erased."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from api.store.migrations.append_only import append_only

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the tables."""
    text, big, key = sa.Text(), sa.BigInteger(), sa.String(length=32)
    op.create_table(
        "retention",
        sa.Column("purpose", text, nullable=False),
        sa.Column("days", big, nullable=False),
        sa.Column("set_by", text, nullable=False),
        sa.Column("set_us", big, nullable=False),
        sa.PrimaryKeyConstraint("purpose"),
    )
    op.create_table(
        "hold",
        sa.Column("id", key, nullable=False),
        sa.Column("record_id", key, nullable=False),
        sa.Column("reason", text, nullable=False),
        sa.Column("placed_by", text, nullable=False),
        sa.Column("placed_us", big, nullable=False),
        sa.Column("lifted_by", text, nullable=True),
        sa.Column("lifted_us", big, nullable=True),
        sa.Column("lift_reason", text, nullable=True),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_hold_record_id"), "hold", ["record_id"], unique=False)
    op.create_table(
        "assent",
        sa.Column("action", text, nullable=False),
        sa.Column("subject", text, nullable=False),
        sa.Column("by", text, nullable=False),
        sa.Column("time_us", big, nullable=False),
        sa.PrimaryKeyConstraint("action", "subject"),
    )
    op.create_table(
        "tombstone",
        sa.Column("record_id", key, nullable=False),
        sa.Column("revision", big, autoincrement=False, nullable=False),
        sa.Column("type", text, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("erased_us", big, nullable=False),
        sa.Column("erased_by", text, nullable=False),
        sa.Column("why", text, nullable=False),
        sa.Column("rule", text, nullable=False),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"]),
        sa.PrimaryKeyConstraint("record_id", "revision"),
    )
    op.create_index(op.f("ix_tombstone_erased_us"), "tombstone", ["erased_us"], unique=False)
    op.create_table(
        "tally",
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("measure", text, nullable=False),
        sa.Column("cell", text, nullable=False),
        sa.Column("n", big, nullable=False),
        sa.PrimaryKeyConstraint("month", "measure", "cell"),
    )
    op.create_table(
        "publication",
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("document", text, nullable=False),
        sa.Column("made_us", big, nullable=False),
        sa.PrimaryKeyConstraint("month"),
    )
    append_only("tombstone")
    _reviews_may_be_emptied()


def _reviews_may_be_emptied() -> None:
    """Erasure takes a review's reason away; nothing else of it may change."""
    names = [column["name"] for column in sa.inspect(op.get_bind()).get_columns("review")]
    postgresql = op.get_context().dialect.name == "postgresql"
    differs = "IS DISTINCT FROM" if postgresql else "IS NOT"
    changed = " OR ".join(f"NEW.{name} {differs} OLD.{name}" for name in names if name != "reason")
    rule = f"NEW.reason IS NOT NULL OR {changed}"
    if postgresql:
        op.execute("DROP TRIGGER review_append_only ON review")
        op.execute(
            "CREATE TRIGGER review_append_only BEFORE DELETE OR TRUNCATE ON review "
            "FOR EACH STATEMENT EXECUTE FUNCTION vedette_append_only()"
        )
        op.execute(
            f"CREATE TRIGGER review_emptied_only BEFORE UPDATE ON review FOR EACH ROW WHEN ({rule}) "
            "EXECUTE FUNCTION vedette_append_only()"
        )
        return
    op.execute("DROP TRIGGER review_no_update")
    op.execute(
        f"CREATE TRIGGER review_no_update BEFORE UPDATE ON review WHEN {rule} "
        "BEGIN SELECT RAISE(ABORT, 'review is append-only'); END"
    )
