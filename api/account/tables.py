"""Tables of retention, erasure and the public page."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from api.store.tables import Base

__all__ = ["AssentRow", "HoldRow", "PublicationRow", "RetentionRow", "TallyRow", "TombstoneRow"]


class RetentionRow(Base):
    """How long records of one purpose are kept at most."""

    __tablename__ = "retention"

    purpose: Mapped[str] = mapped_column(primary_key=True)
    days: Mapped[int]
    set_by: Mapped[str]
    set_us: Mapped[int]


class HoldRow(Base):
    """A legal hold: the record is not erased while it stands."""

    __tablename__ = "hold"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    record_id: Mapped[str] = mapped_column(ForeignKey("record.id"), index=True)
    reason: Mapped[str]
    placed_by: Mapped[str]
    placed_us: Mapped[int]
    lifted_by: Mapped[str | None]
    lifted_us: Mapped[int | None]
    lift_reason: Mapped[str | None]


class AssentRow(Base):
    """The first of two people who must both want a deed."""

    __tablename__ = "assent"

    action: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    by: Mapped[str]
    time_us: Mapped[int]


class TombstoneRow(Base):
    """That a record was there and is no more. Never changed."""

    __tablename__ = "tombstone"

    record_id: Mapped[str] = mapped_column(ForeignKey("record.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    type: Mapped[str]
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the document that was erased: who kept a copy against the law can be shown that it is one."""
    erased_us: Mapped[int] = mapped_column(index=True)
    erased_by: Mapped[str]
    why: Mapped[str]
    """"retention" or "request"."""
    rule: Mapped[str]
    """The rule that ran out, or the reason that was given."""


class TallyRow(Base):
    """How many erased records of one month had one property: what the public page counts when they are gone."""

    __tablename__ = "tally"

    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    measure: Mapped[str] = mapped_column(primary_key=True)
    cell: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[int]


class PublicationRow(Base):
    """What the public page says of one month: made once, and never changed, so that no two of them can be compared."""

    __tablename__ = "publication"

    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    document: Mapped[str]
    made_us: Mapped[int]
