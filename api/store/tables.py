"""The tables of the store. Times are UTC microseconds since the Unix epoch."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

__all__ = [
    "AgreementRow",
    "AuditHeadRow",
    "AuditRow",
    "Base",
    "EventRow",
    "EvidenceRow",
    "KeyRow",
    "PartnerRow",
    "ReadableRow",
    "RecordRow",
    "ReleaseRow",
    "ReviewRow",
    "SubscriptionRow",
    "partial",
]


def partial(where: str) -> dict[str, Any]:
    """Of an index: only rows of which `where` holds, on either database."""
    return {"sqlite_where": text(where), "postgresql_where": text(where)}


class Base(DeclarativeBase):
    """Declarative base: a Python int is 64 bit wide in the database."""

    type_annotation_map = {int: BigInteger(), bytes: LargeBinary(), str: Text()}  # noqa: RUF012 - SQLAlchemy's own API


class RecordRow(Base):
    """The newest revision of a record of any type, with its review state."""

    __tablename__ = "record"
    __table_args__ = (
        UniqueConstraint("type", "source", "source_id"),
        Index("ix_record_type_time", "type", "time_us", "id"),
        Index("ix_record_expires", "expires_us"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    type: Mapped[str]
    source: Mapped[str]
    source_id: Mapped[str]
    revision: Mapped[int]
    update_us: Mapped[int]
    time_us: Mapped[int]
    kind: Mapped[str | None]
    status: Mapped[str | None]
    west: Mapped[float | None]
    south: Mapped[float | None]
    east: Mapped[float | None]
    north: Mapped[float | None]
    received_us: Mapped[int]
    expires_us: Mapped[int]
    owner: Mapped[str]
    purpose: Mapped[str]
    marking: Mapped[str | None]
    sensitivity: Mapped[str]
    digest: Mapped[str] = mapped_column(String(64))
    document: Mapped[str]
    """Canonical JSON of what was delivered."""
    review_state: Mapped[str]
    review_version: Mapped[int]


_NUMBER = BigInteger().with_variant(Integer, "sqlite")
"""Of a key: SQLite keeps rows by an INTEGER, and makes an index of any other key."""
_FACETS = ("source", "kind", "status", "review")


class ReadableRow(Base):
    """One record as one audience may read it. What has no row here is read by nobody.

    `audience` is 0 for those inside, else the partner's number. Columns that a query may filter by are NULL where the
    agreement does not share the field, so that a filter cannot be used to guess what is withheld.
    """

    __tablename__ = "readable"
    __table_args__ = (
        UniqueConstraint("record_id", "audience"),
        # What else may be asked for is in it too: a walk in order of time fetches no row that is not wanted.
        Index("ix_readable_time", "audience", "type", "time_us", "record_id", *_FACETS),
        *(Index(f"ix_readable_{name}", "audience", "type", name, "time_us", "record_id") for name in _FACETS),
        # Of those inside, a record's own retention says the one, and there is no other.
        Index("ix_readable_until", "audience", "until_us", **partial("audience > 0")),
        Index("ix_readable_visible", "audience", "visible_us", **partial("audience > 0")),
        Index("ix_readable_copies", "record_id", **partial("media = 'blurred' OR media = 'redacted'")),
    )

    n: Mapped[int] = mapped_column(_NUMBER, primary_key=True)
    """Numbers rows for the index by time and place (`readable_box`)."""
    audience: Mapped[int]
    record_id: Mapped[str] = mapped_column(ForeignKey("record.id"))
    type: Mapped[str]
    revision: Mapped[int]
    time_us: Mapped[int]
    source: Mapped[str | None]
    kind: Mapped[str | None]
    status: Mapped[str | None]
    review: Mapped[str]
    west: Mapped[float | None]
    south: Mapped[float | None]
    east: Mapped[float | None]
    north: Mapped[float | None]
    visible_us: Mapped[int]
    until_us: Mapped[int]
    release_id: Mapped[str | None] = mapped_column(ForeignKey("release.id"))
    media: Mapped[str]
    """Which evidence may be read: "none", "blurred" (everybody), "redacted" (all but those concerned) or "original"."""
    etag: Mapped[str]
    feature: Mapped[bytes]
    """GeoJSON Feature with what this audience may see, serialised when something in it changes."""


class EvidenceRow(Base):
    """A piece of evidence of one revision; the bytes lie in the object folder under their SHA-256."""

    __tablename__ = "evidence"

    record_id: Mapped[str] = mapped_column(ForeignKey("record.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    part: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    size: Mapped[int]
    name: Mapped[str]
    received_us: Mapped[int]


class ReviewRow(Base):
    """A person's verdict on one revision. Verdicts are never changed; the newest counts."""

    __tablename__ = "review"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    record_id: Mapped[str] = mapped_column(ForeignKey("record.id"), index=True)
    revision: Mapped[int]
    version: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    verdict: Mapped[str]
    reason: Mapped[str | None]
    reviewer: Mapped[str]
    """Key or account."""
    reviewer_name: Mapped[str]
    time_us: Mapped[int]


class PartnerRow(Base):
    """An organisation outside that something may be shared with."""

    __tablename__ = "partner"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    """From 1: the partner's audience in `readable`."""
    name: Mapped[str] = mapped_column(unique=True)
    created_us: Mapped[int]
    ended_us: Mapped[int | None]


class AgreementRow(Base):
    """What may be shared with one partner. Never changed: end it and make another."""

    __tablename__ = "agreement"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    partner_id: Mapped[str] = mapped_column(ForeignKey("partner.id"), index=True)
    terms: Mapped[str]
    """Canonical JSON of `api.release.schemas.AgreementTerms`."""
    created_us: Mapped[int]
    valid_until_us: Mapped[int | None]
    ended_us: Mapped[int | None]


class ReleaseRow(Base):
    """One revision of one record shared with one partner. What was shared stays on record."""

    __tablename__ = "release"
    __table_args__ = (
        Index("ix_release_active", "record_id", "partner_id", unique=True, **partial("recalled_us IS NULL")),
        Index("ix_release_partner", "partner_id", "released_us"),
        Index("ix_release_record", "record_id", "partner_id", "released_us"),
        Index("ix_release_time", "released_us", "id"),
        Index("ix_release_due", "announced", "visible_us"),
        Index("ix_release_waiting", "partner_id", **partial("recalled_us IS NOT NULL AND receipt_us IS NULL")),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    record_id: Mapped[str] = mapped_column(ForeignKey("record.id"))
    revision: Mapped[int]
    partner_id: Mapped[str] = mapped_column(ForeignKey("partner.id"))
    agreement_id: Mapped[str] = mapped_column(ForeignKey("agreement.id"))
    subscription_id: Mapped[str | None] = mapped_column(ForeignKey("subscription.id"))
    released_us: Mapped[int]
    visible_us: Mapped[int]
    released_by: Mapped[str]
    """Key or account; "system" where a standing subscription did."""
    reason: Mapped[str | None]
    announced: Mapped[bool]
    """Whether the partner's event log tells of it: not before `visible_us`."""
    recalled_us: Mapped[int | None]
    recalled_by: Mapped[str | None]
    """Key or account of who took it back; "system" where that followed from something else."""
    recall_reason: Mapped[str | None]
    receipt_us: Mapped[int | None]
    receipt_by: Mapped[str | None]
    marking: Mapped[str]
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the feature as it was shared."""
    feature: Mapped[bytes]


class SubscriptionRow(Base):
    """A partner's standing wish under one agreement: what matches is released without being asked for again."""

    __tablename__ = "subscription"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    partner_id: Mapped[str] = mapped_column(ForeignKey("partner.id"), index=True)
    agreement_id: Mapped[str] = mapped_column(ForeignKey("agreement.id"))
    wish: Mapped[str]
    """Canonical JSON of `api.release.schemas.SubscriptionIn`."""
    created_us: Mapped[int]
    ended_us: Mapped[int | None]


class KeyRow(Base):
    """An API key; only the SHA-256 of the secret is kept, which is right for 256 random bits."""

    __tablename__ = "api_key"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str]
    role: Mapped[str]
    partner_id: Mapped[str | None] = mapped_column(ForeignKey("partner.id"))
    created_us: Mapped[int]
    expires_us: Mapped[int | None]
    revoked_us: Mapped[int | None]


class EventRow(Base):
    """One change, told to one audience. `seq` orders all; a subscriber is a cursor in its audience's own numbers `n`.

    Neither has gaps. Partners see `n` alone: global numbers would tell them how much they are not told.
    """

    __tablename__ = "event"
    __table_args__ = (UniqueConstraint("audience", "n"),)

    seq: Mapped[int] = mapped_column(_NUMBER, primary_key=True, autoincrement=False)
    audience: Mapped[str]
    """"inside", or a partner's id."""
    n: Mapped[int]
    time_us: Mapped[int]
    kind: Mapped[str]
    record_type: Mapped[str | None]
    record_id: Mapped[str | None]
    partner_id: Mapped[str | None]
    detail: Mapped[str]


class AuditRow(Base):
    """One link of the audit chain: hash = SHA-256(previous hash || body)."""

    __tablename__ = "audit"

    seq: Mapped[int] = mapped_column(_NUMBER, primary_key=True, autoincrement=False)
    body: Mapped[str]
    hash: Mapped[str] = mapped_column(String(64))


class AuditHeadRow(Base):
    """The newest link, kept apart so that a cut tail shows."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))
