"""Tables of the work of reviewing. Times are UTC microseconds since the Unix epoch."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from api.store.tables import Base

__all__ = [
    "AnnotationRow",
    "CaseEntryRow",
    "CaseRecordRow",
    "CaseRow",
    "ClaimRow",
    "DismissalRow",
    "QueueRow",
    "ReviewPolicyRow",
    "SeenRow",
]


class ReviewPolicyRow(Base):
    """The rules of review from one moment on. Never changed: the highest version counts."""

    __tablename__ = "review_policy"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    document: Mapped[str]
    """Canonical JSON of `api.review.schemas.PolicyIn`."""
    time_us: Mapped[int]
    person: Mapped[str]
    name: Mapped[str]


class QueueRow(Base):
    """A crossing that waits for a verdict, and how much it matters: there is a row for each pending one."""

    __tablename__ = "review_queue"
    __table_args__ = (
        Index("ix_review_queue_order", "severity", "time_us", "record_id"),
        {"sqlite_with_rowid": False},  # rows lie by their key: there is no index beside them
    )

    record_id: Mapped[str] = mapped_column(ForeignKey("record.id"), primary_key=True)
    severity: Mapped[str] = mapped_column(String(20))
    time_us: Mapped[int]
    """The record's own: of one severity, the newest comes first."""
    people: Mapped[int]
    """How many have to agree before it is confirmed."""


class ClaimRow(Base):
    """Who is at work on a crossing, and until when nobody else may judge it."""

    __tablename__ = "review_claim"

    record_id: Mapped[str] = mapped_column(ForeignKey("record.id"), primary_key=True)
    person: Mapped[str]
    name: Mapped[str]
    claimed_us: Mapped[int]
    until_us: Mapped[int]
    lease_us: Mapped[int]


class SeenRow(Base):
    """A revision of a crossing that one person has looked at."""

    __tablename__ = "review_seen"

    record_id: Mapped[str] = mapped_column(ForeignKey("record.id"), primary_key=True)
    person: Mapped[str] = mapped_column(String(64), primary_key=True)
    revision: Mapped[int]
    time_us: Mapped[int]


class DismissalRow(Base):
    """What a dismissed crossing was said to show."""

    __tablename__ = "review_dismissal"

    review_id: Mapped[str] = mapped_column(ForeignKey("review.id"), primary_key=True)
    record_id: Mapped[str] = mapped_column(ForeignKey("record.id"), index=True)
    category: Mapped[str] = mapped_column(String(40))


class AnnotationRow(Base):
    """What somebody noted on a crossing: never changed, never shared, erased with the record."""

    __tablename__ = "annotation"
    __table_args__ = (Index("ix_annotation_record", "record_id", "time_us", "id"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    record_id: Mapped[str] = mapped_column(ForeignKey("record.id"))
    revision: Mapped[int]
    person: Mapped[str]
    name: Mapped[str]
    text: Mapped[str]
    time_us: Mapped[int]


class CaseRow(Base):
    """A case file."""

    __tablename__ = "case_file"
    __table_args__ = (Index("ix_case_file_opened", "opened_us", "id"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    version: Mapped[int]
    title: Mapped[str]
    state: Mapped[str] = mapped_column(String(20))
    owner: Mapped[str]
    owner_name: Mapped[str]
    hold: Mapped[bool]
    """Legal hold: its records are kept beyond their retention."""
    opened_us: Mapped[int]
    closed_us: Mapped[int | None]


class CaseRecordRow(Base):
    """A record that is in a case."""

    __tablename__ = "case_record"

    case_id: Mapped[str] = mapped_column(ForeignKey("case_file.id"), primary_key=True)
    record_id: Mapped[str] = mapped_column(ForeignKey("record.id"), primary_key=True, index=True)
    attached_us: Mapped[int]
    person: Mapped[str]
    name: Mapped[str]
    reason: Mapped[str]


class CaseEntryRow(Base):
    """One line of a case's own history, numbered from 1."""

    __tablename__ = "case_entry"

    case_id: Mapped[str] = mapped_column(ForeignKey("case_file.id"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    time_us: Mapped[int]
    person: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(String(20))
    record_id: Mapped[str | None] = mapped_column(String(32), index=True)
    text: Mapped[str | None]
