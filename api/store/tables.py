"""The tables of the store. Times are UTC microseconds since the Unix epoch."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

__all__ = [
    "AgreementRow",
    "AuditHeadRow",
    "AuditRow",
    "Base",
    "CrossingRow",
    "CueRow",
    "EventRow",
    "EvidenceRow",
    "KeyRow",
    "PartnerRow",
    "ReleaseRow",
    "ReviewRow",
    "partial",
]


def partial(where: str) -> dict[str, Any]:
    """Of an index: only rows of which `where` holds, on either database."""
    return {"sqlite_where": text(where), "postgresql_where": text(where)}


class Base(DeclarativeBase):
    """Declarative base: a Python int is 64 bit wide in the database."""

    type_annotation_map = {int: BigInteger(), bytes: LargeBinary(), str: Text()}  # noqa: RUF012 - SQLAlchemy's own API


class CrossingRow(Base):
    """The newest revision of a crossing, with its review state."""

    __tablename__ = "crossing"
    __table_args__ = (
        UniqueConstraint("source", "source_id"),
        Index("ix_crossing_time", "time_us", "id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    source: Mapped[str]
    source_id: Mapped[str]
    revision: Mapped[int]
    update_us: Mapped[int]
    time_us: Mapped[int]
    kind: Mapped[str]
    status: Mapped[str]
    lat: Mapped[float | None]
    lon: Mapped[float | None]
    received_us: Mapped[int]
    expires_us: Mapped[int]
    marking: Mapped[str | None]
    digest: Mapped[str] = mapped_column(String(64))
    document: Mapped[str]
    """Canonical JSON of what was delivered."""
    review_state: Mapped[str]
    review_version: Mapped[int]
    feature: Mapped[bytes]
    """GeoJSON Feature for those inside, serialised when something in it changes."""


class CueRow(Base):
    """A cue of a ground sensor. Never changed."""

    __tablename__ = "cue"
    __table_args__ = (Index("ix_cue_time", "time_us", "id"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    sensor: Mapped[str]
    kind: Mapped[str]
    time_us: Mapped[int]
    received_us: Mapped[int]
    expires_us: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    document: Mapped[str]
    """Canonical JSON of what was delivered."""


class EvidenceRow(Base):
    """A piece of evidence of one revision; the bytes lie in the object folder under their SHA-256."""

    __tablename__ = "evidence"

    crossing_id: Mapped[str] = mapped_column(ForeignKey("crossing.id"), primary_key=True)
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
    crossing_id: Mapped[str] = mapped_column(ForeignKey("crossing.id"), index=True)
    revision: Mapped[int]
    version: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    verdict: Mapped[str]
    reason: Mapped[str | None]
    reviewer: Mapped[str] = mapped_column(ForeignKey("api_key.id"))
    time_us: Mapped[int]


class PartnerRow(Base):
    """An organisation outside that something may be shared with."""

    __tablename__ = "partner"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
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
    """One revision of one crossing shared with one partner, as that partner sees it.

    The columns that a query may filter by are NULL where the agreement does not share the field, so that a filter
    cannot be used to guess what is withheld.
    """

    __tablename__ = "release"
    __table_args__ = (
        Index("ix_release_active", "crossing_id", "partner_id", unique=True, **partial("recalled_us IS NULL")),
        Index("ix_release_partner_time", "partner_id", "time_us", "crossing_id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    crossing_id: Mapped[str] = mapped_column(ForeignKey("crossing.id"))
    revision: Mapped[int]
    partner_id: Mapped[str] = mapped_column(ForeignKey("partner.id"))
    agreement_id: Mapped[str] = mapped_column(ForeignKey("agreement.id"))
    released_us: Mapped[int]
    visible_us: Mapped[int]
    released_by: Mapped[str] = mapped_column(ForeignKey("api_key.id"))
    reason: Mapped[str | None]
    recalled_us: Mapped[int | None]
    recalled_by: Mapped[str | None]
    recall_reason: Mapped[str | None]
    marking: Mapped[str]
    time_us: Mapped[int]
    kind: Mapped[str | None]
    status: Mapped[str | None]
    lat: Mapped[float | None]
    lon: Mapped[float | None]
    media: Mapped[bool]
    feature: Mapped[bytes]
    """GeoJSON Feature with the agreed fields only, serialised at release: what was shared stays on record."""


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
    """One change. `seq` orders all changes; a subscriber is a cursor in it."""

    __tablename__ = "event"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    time_us: Mapped[int]
    kind: Mapped[str]
    crossing_id: Mapped[str | None]
    partner_id: Mapped[str | None]
    detail: Mapped[str]


class AuditRow(Base):
    """One link of the audit chain: hash = SHA-256(previous hash || body)."""

    __tablename__ = "audit"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    body: Mapped[str]
    hash: Mapped[str] = mapped_column(String(64))


class AuditHeadRow(Base):
    """The newest link, kept apart so that a cut tail shows."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))
