"""One table of records of every type, and one of what each audience may read, with its index by time and place.

What those inside read is serialised from the records by the program, after the last step.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

from api.store.migrations.append_only import append_only
from api.store.migrations.boxes_0002 import index_boxes

revision = "0002"
down_revision = "0001"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AT_ONCE = 1000
_MOVED = ("evidence", "review", "release", "event", "cue", "crossing")  # those that refer to others first
_KINDS = {"crossing.created": "record.created", "crossing.replaced": "record.replaced", "cue.created": "record.created"}
Row = Mapping[str, Any]


def upgrade() -> None:
    """Put the old tables aside, make the new ones, move every row."""
    for table in _MOVED:
        op.execute(f"CREATE TABLE old_{table} AS SELECT * FROM {table}")  # noqa: S608 - names of ours
        op.drop_table(table)
    _number_partners()
    _make_tables()
    index_boxes()
    _move()
    for table in _MOVED:
        op.drop_table(f"old_{table}")
    for table in ("event", "review"):
        append_only(table)


def _number_partners() -> None:
    with op.batch_alter_table("partner") as partner:
        partner.add_column(sa.Column("number", sa.BigInteger()))
    ids = op.get_bind().scalars(sa.text("SELECT id FROM partner ORDER BY created_us, id")).all()
    for number, partner_id in enumerate(ids, 1):
        numbered = sa.text("UPDATE partner SET number = :number WHERE id = :id")
        op.get_bind().execute(numbered, {"number": number, "id": partner_id})
    with op.batch_alter_table("partner") as partner:
        partner.alter_column("number", existing_type=sa.BigInteger(), nullable=False)
        partner.create_unique_constraint("partner_number_key", ["number"])


def _make_tables() -> None:
    op.create_table(
        "record",
        _kept("id", sa.String(length=32)),
        _kept("type", sa.Text()),
        _kept("source", sa.Text()),
        _kept("source_id", sa.Text()),
        _kept("revision", sa.BigInteger()),
        _kept("update_us", sa.BigInteger()),
        _kept("time_us", sa.BigInteger()),
        sa.Column("kind", sa.Text()),
        sa.Column("status", sa.Text()),
        sa.Column("west", sa.Double()),
        sa.Column("south", sa.Double()),
        sa.Column("east", sa.Double()),
        sa.Column("north", sa.Double()),
        _kept("received_us", sa.BigInteger()),
        _kept("expires_us", sa.BigInteger()),
        _kept("owner", sa.Text()),
        _kept("purpose", sa.Text()),
        sa.Column("marking", sa.Text()),
        _kept("sensitivity", sa.Text()),
        _kept("digest", sa.String(length=64)),
        _kept("document", sa.Text()),
        _kept("review_state", sa.Text()),
        _kept("review_version", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("type", "source", "source_id"),
    )
    op.create_index("ix_record_expires", "record", ["expires_us"], unique=False)
    op.create_index("ix_record_type_time", "record", ["type", "time_us", "id"], unique=False)
    op.create_table(
        "evidence",
        _kept("record_id", sa.String(length=32)),
        _kept("revision", sa.BigInteger()),
        _kept("part", sa.Text()),
        _kept("sha256", sa.String(length=64)),
        _kept("size", sa.BigInteger()),
        _kept("name", sa.Text()),
        _kept("received_us", sa.BigInteger()),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"]),
        sa.PrimaryKeyConstraint("record_id", "revision", "part"),
    )
    op.create_index("ix_evidence_sha256", "evidence", ["sha256"], unique=False)
    op.create_table(
        "review",
        _kept("id", sa.String(length=32)),
        _kept("record_id", sa.String(length=32)),
        _kept("revision", sa.BigInteger()),
        _kept("version", sa.BigInteger()),
        _kept("digest", sa.String(length=64)),
        _kept("verdict", sa.Text()),
        sa.Column("reason", sa.Text()),
        _kept("reviewer", sa.Text()),
        _kept("reviewer_name", sa.Text()),
        _kept("time_us", sa.BigInteger()),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_review_record_id", "review", ["record_id"], unique=False)
    op.create_table(
        "subscription",
        _kept("id", sa.String(length=32)),
        _kept("partner_id", sa.String(length=32)),
        _kept("agreement_id", sa.String(length=32)),
        _kept("wish", sa.Text()),
        _kept("created_us", sa.BigInteger()),
        sa.Column("ended_us", sa.BigInteger()),
        sa.ForeignKeyConstraint(["agreement_id"], ["agreement.id"]),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_subscription_partner_id", "subscription", ["partner_id"], unique=False)
    op.create_table(
        "release",
        _kept("id", sa.String(length=32)),
        _kept("record_id", sa.String(length=32)),
        _kept("revision", sa.BigInteger()),
        _kept("partner_id", sa.String(length=32)),
        _kept("agreement_id", sa.String(length=32)),
        sa.Column("subscription_id", sa.String(length=32)),
        _kept("released_us", sa.BigInteger()),
        _kept("visible_us", sa.BigInteger()),
        _kept("released_by", sa.Text()),
        sa.Column("reason", sa.Text()),
        _kept("announced", sa.Boolean()),
        sa.Column("recalled_us", sa.BigInteger()),
        sa.Column("recalled_by", sa.Text()),
        sa.Column("recall_reason", sa.Text()),
        sa.Column("receipt_us", sa.BigInteger()),
        sa.Column("receipt_by", sa.Text()),
        _kept("marking", sa.Text()),
        _kept("digest", sa.String(length=64)),
        _kept("feature", sa.LargeBinary()),
        sa.ForeignKeyConstraint(["agreement_id"], ["agreement.id"]),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"]),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"]),
        sa.ForeignKeyConstraint(["subscription_id"], ["subscription.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_release_active",
        "release",
        ["record_id", "partner_id"],
        unique=True,
        sqlite_where=sa.text("recalled_us IS NULL"),
        postgresql_where=sa.text("recalled_us IS NULL"),
    )
    op.create_index("ix_release_due", "release", ["announced", "visible_us"], unique=False)
    op.create_index("ix_release_partner", "release", ["partner_id", "released_us"], unique=False)
    op.create_table(
        "readable",
        _kept("n", sa.BigInteger().with_variant(sa.Integer(), "sqlite")),
        _kept("audience", sa.BigInteger()),
        _kept("record_id", sa.String(length=32)),
        _kept("type", sa.Text()),
        _kept("revision", sa.BigInteger()),
        _kept("time_us", sa.BigInteger()),
        sa.Column("source", sa.Text()),
        sa.Column("kind", sa.Text()),
        sa.Column("status", sa.Text()),
        _kept("review", sa.Text()),
        sa.Column("west", sa.Double()),
        sa.Column("south", sa.Double()),
        sa.Column("east", sa.Double()),
        sa.Column("north", sa.Double()),
        _kept("visible_us", sa.BigInteger()),
        _kept("until_us", sa.BigInteger()),
        sa.Column("release_id", sa.String(length=32)),
        _kept("media", sa.Text()),
        _kept("etag", sa.Text()),
        _kept("feature", sa.LargeBinary()),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"]),
        sa.ForeignKeyConstraint(["release_id"], ["release.id"]),
        sa.PrimaryKeyConstraint("n"),
        sa.UniqueConstraint("record_id", "audience"),
    )
    op.create_index("ix_readable_time", "readable", ["audience", "type", "time_us", "record_id"], unique=False)
    op.create_index("ix_readable_until", "readable", ["audience", "until_us"], unique=False)
    op.create_index("ix_readable_visible", "readable", ["audience", "visible_us"], unique=False)
    op.create_table(
        "event",
        _kept("seq", sa.BigInteger(), autoincrement=False),
        _kept("audience", sa.Text()),
        _kept("n", sa.BigInteger()),
        _kept("time_us", sa.BigInteger()),
        _kept("kind", sa.Text()),
        sa.Column("record_type", sa.Text()),
        sa.Column("record_id", sa.Text()),
        sa.Column("partner_id", sa.Text()),
        _kept("detail", sa.Text()),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("audience", "n"),
    )


def _kept(*given: Any, **more: Any) -> sa.Column[Any]:
    return sa.Column(*given, nullable=False, **more)


_NAMED = "SELECT r.*, k.name AS reviewer_name FROM old_review r JOIN api_key k ON k.id = r.reviewer"
_PLACED = "SELECT e.*, e.crossing_id || '/' || e.revision || '/' || e.part AS place FROM old_evidence e"
_STANDING = """
SELECT l.*, c.source AS source, c.review_state, c.expires_us, a.terms, a.valid_until_us, p.number
FROM old_release l JOIN old_crossing c ON c.id = l.crossing_id AND c.revision = l.revision
JOIN agreement a ON a.id = l.agreement_id JOIN partner p ON p.id = l.partner_id
WHERE l.recalled_us IS NULL
"""


def _move() -> None:
    tables = sa.MetaData()
    tables.reflect(op.get_bind(), only=["record", "evidence", "review", "release", "readable", "event"])
    for name, old, key, moved in (
        ("record", "SELECT * FROM old_crossing", "id", _crossing),
        ("record", "SELECT * FROM old_cue", "id", _cue),
        ("evidence", _PLACED, "place", _evidence),
        ("review", _NAMED, "id", _review),
        ("release", "SELECT * FROM old_release", "id", _release),
        ("readable", _STANDING, "id", _readable),
        ("event", "SELECT * FROM old_event", "seq", _event),
    ):
        for page in _pages(old, key):
            op.bulk_insert(tables.tables[name], [moved(row) for row in page])


def _pages(old: str, key: str) -> Iterator[Sequence[Row]]:
    """Rows in order of a key, no more at once than fit into memory."""
    last: Any = None
    while True:
        rule = "" if last is None else f"WHERE q.{key} > :last"
        query = sa.text(f"SELECT * FROM ({old}) q {rule} ORDER BY q.{key} LIMIT {_AT_ONCE}")  # noqa: S608 - all ours
        page = [dict(row) for row in op.get_bind().execute(query, {} if last is None else {"last": last}).mappings()]
        if not page:
            return
        yield page
        last = page[-1][key]


_SAME = ("id", "time_us", "kind", "received_us", "expires_us", "digest", "document")


def _crossing(row: Row) -> dict[str, Any]:
    document = json.loads(row["document"])
    also = ("source", "source_id", "revision", "update_us", "status", "marking", "review_state", "review_version")
    return {
        **_of(row, *_SAME, *also),
        **_bounds(row["lon"], row["lat"]),
        "type": "crossing",
        "owner": document["owner"],
        "purpose": document["purpose"],
        "sensitivity": "amber",
    }


def _cue(row: Row) -> dict[str, Any]:
    document = json.loads(row["document"])
    lon, lat = document["location"]["coordinates"]
    return {
        **_of(row, *_SAME),
        **_bounds(lon, lat),
        **_of(document["custody"], "owner", "purpose", "marking"),
        "type": "cue",
        "source": row["sensor"],
        "source_id": row["id"],
        "revision": 1,
        "update_us": _microseconds(document["resultTime"]),
        "status": None,
        "sensitivity": "amber",
        "review_state": "none",
        "review_version": 0,
    }


def _evidence(row: Row) -> dict[str, Any]:
    return {"record_id": row["crossing_id"], **_of(row, "revision", "part", "sha256", "size", "name", "received_us")}


def _review(row: Row) -> dict[str, Any]:
    same = ("id", "revision", "version", "digest", "verdict", "reason", "reviewer", "reviewer_name", "time_us")
    return {"record_id": row["crossing_id"], **_of(row, *same)}


def _release(row: Row) -> dict[str, Any]:
    same = ("id", "revision", "partner_id", "agreement_id", "released_us", "visible_us", "released_by", "reason")
    return {
        **_of(row, *same, "recalled_us", "recalled_by", "recall_reason", "marking", "feature"),
        "record_id": row["crossing_id"],
        "subscription_id": None,
        "announced": False,  # partners had no events of their own: what stands is told them at the next start
        "receipt_us": None,
        "receipt_by": None,
        "digest": hashlib.sha256(row["feature"]).hexdigest(),
    }


def _readable(row: Row) -> dict[str, Any]:
    until = row["expires_us"] if row["valid_until_us"] is None else min(row["expires_us"], row["valid_until_us"])
    return {
        **_of(row, "revision", "time_us", "kind", "status", "visible_us", "feature"),
        **_bounds(row["lon"], row["lat"]),
        "audience": row["number"],
        "record_id": row["crossing_id"],
        "type": "crossing",
        "source": row["source"] if "source" in json.loads(row["terms"])["fields"] else None,
        "review": row["review_state"],
        "until_us": until,
        "release_id": row["id"],
        "media": "original" if row["media"] else "none",
        "etag": row["id"],
    }


def _event(row: Row) -> dict[str, Any]:
    cue_id = json.loads(row["detail"]).get("cue_id")
    record_type = "crossing" if row["crossing_id"] is not None else None if cue_id is None else "cue"
    return {
        **_of(row, "seq", "time_us", "partner_id", "detail"),
        "audience": "inside",
        "n": row["seq"],
        "kind": _KINDS.get(row["kind"], row["kind"]),
        "record_type": record_type,
        "record_id": row["crossing_id"] or cue_id,
    }


def _of(row: Row, *names: str) -> dict[str, Any]:
    return {name: row[name] for name in names}


def _bounds(lon: float | None, lat: float | None) -> dict[str, float | None]:
    return {"west": lon, "south": lat, "east": lon, "north": lat}


def _microseconds(time: str) -> int:
    return (datetime.fromisoformat(time) - _EPOCH) // timedelta(microseconds=1)
