"""A new record changes fewer pages: rows of SQLite go by their numbers, and indexes hold what somebody looks up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from api.store.migrations.append_only import append_only

revision = "0021"
down_revision = "0020"

_OF_PARTNERS = "audience > 0"
_TOLD = (
    "(kind IN ('crossing.reviewed', 'crossing.merged', 'crossing.split', 'release.created', 'release.recalled', "
    "'record.erased') OR record_type = 'cue')"
)
# As in 0018; the key of a table without numbers goes by the name of the table.
_LARGE = {
    "readable": {"ix_readable_until": "500000 250000 5", "ix_readable_visible": "500000 250000 5"},
    "review_queue": {"ix_review_queue_order": "50000 25000 1 1", "review_queue": "50000 1"},
}


def upgrade() -> None:
    """Make indexes of partners' rows alone; give SQLite's logs and queue the key that their rows lie by."""
    for name, column in (("ix_readable_until", "until_us"), ("ix_readable_visible", "visible_us")):
        op.drop_index(name, "readable")
        rule = sa.text(_OF_PARTNERS)
        op.create_index(name, "readable", ["audience", column], sqlite_where=rule, postgresql_where=rule)
    if op.get_bind().dialect.name == "sqlite":
        _go_by_number()
        _take_for_large()


def _go_by_number() -> None:
    """INTEGER alone makes a key the number of its row; any other one is an index beside it."""
    _made_anew(
        "audit",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    _made_anew(
        "event",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("time_us", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("record_type", sa.Text(), nullable=True),
        sa.Column("record_id", sa.Text(), nullable=True),
        sa.Column("partner_id", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("audience", "n"),
    )
    op.create_index("ix_event_said", "event", ["record_id", "audience", "n"], sqlite_where=sa.text(_TOLD))
    for table in ("audit", "event"):
        append_only(table)
    _made_anew(
        "review_queue",
        sa.Column("record_id", sa.String(length=32), nullable=False),
        sa.Column("severity", sa.String(length=20), nullable=False),
        sa.Column("people", sa.BigInteger(), nullable=False),
        sa.Column("time_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"]),
        sa.PrimaryKeyConstraint("record_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_review_queue_order", "review_queue", ["severity", "time_us", "record_id"])


def _made_anew(name: str, *columns: sa.schema.SchemaItem, **more: bool) -> None:
    op.create_table(f"new_{name}", *columns, **more)
    named = ", ".join(each.name for each in columns if isinstance(each, sa.Column))
    key = named.partition(",")[0]
    op.execute(f"INSERT INTO new_{name} ({named}) SELECT {named} FROM {name} ORDER BY {key}")  # noqa: S608 - ours
    op.drop_table(name)
    op.rename_table(f"new_{name}", name)


def _take_for_large() -> None:
    stat = sa.table("sqlite_stat1", *map(sa.column, ("tbl", "idx", "stat")))
    for table, known in _LARGE.items():
        op.execute(stat.delete().where(stat.c.tbl == table, stat.c.idx.in_(known)))
        op.bulk_insert(stat, [{"tbl": table, "idx": name, "stat": numbers} for name, numbers in known.items()])
    op.execute("ANALYZE sqlite_schema")
