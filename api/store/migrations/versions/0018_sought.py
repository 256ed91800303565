"""What is asked for by source, kind, status or review, and the queue, are found without a look at the rest."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

_FACETS = ("source", "kind", "status", "review")
# What ANALYZE finds in a store of a million: one that was never analysed is taken for a handful, and a box, or a rare
# value, is then sought by a walk through all that somebody may read (sqlite.org/fileformat2.html, 2.6.3).
_LARGE = {
    "readable": {
        "ix_readable_time": "1000000 500000 250000 1 1 1 1 1 1",
        "ix_readable_source": "1000000 500000 250000 10000 1 1",
        "ix_readable_kind": "1000000 500000 250000 80000 1 1",
        "ix_readable_status": "1000000 500000 250000 100000 1 1",
        "ix_readable_review": "1000000 500000 250000 60000 1 1",
        "ix_readable_until": "1000000 500000 500000",
        "ix_readable_visible": "1000000 500000 500000",
        "ix_readable_copies": "1000 1",
        "sqlite_autoindex_readable_1": "1000000 2 1",
    },
    "review_queue": {"ix_review_queue_order": "50000 25000 1 1", "sqlite_autoindex_review_queue_1": "50000 1"},
}


def upgrade() -> None:
    """Make the indexes; write down when what waits in the queue happened."""
    op.drop_index("ix_readable_time", "readable")
    op.create_index("ix_readable_time", "readable", ["audience", "type", "time_us", "record_id", *_FACETS])
    for name in _FACETS:
        op.create_index(f"ix_readable_{name}", "readable", ["audience", "type", name, "time_us", "record_id"])
    op.drop_index("ix_review_queue_severity", "review_queue")
    with op.batch_alter_table("review_queue") as queue:
        queue.add_column(sa.Column("time_us", sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE review_queue SET time_us = (SELECT record.time_us FROM record WHERE record.id = review_queue.record_id)"
    )
    with op.batch_alter_table("review_queue") as queue:
        queue.alter_column("time_us", existing_type=sa.BigInteger(), nullable=False)
    op.create_index("ix_review_queue_order", "review_queue", ["severity", "time_us", "record_id"])
    if op.get_bind().dialect.name == "sqlite":
        _take_for_large()


def _take_for_large() -> None:
    op.execute("PRAGMA analysis_limit = 100")
    op.execute("ANALYZE readable")  # makes the table of statistics
    stat = sa.table("sqlite_stat1", *map(sa.column, ("tbl", "idx", "stat")))
    op.execute(stat.delete().where(stat.c.tbl.in_(_LARGE)))
    rows = [
        {"tbl": table, "idx": name, "stat": numbers}
        for table, known in _LARGE.items()
        for name, numbers in known.items()
    ]
    op.bulk_insert(stat, rows)
    op.execute("ANALYZE sqlite_schema")  # has this connection read it; others do as they open
