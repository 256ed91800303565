"""Tables of what people found out about records, as far as the view of a record shows it."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from api.store.tables import Base

__all__ = ["MergeRow", "StandingRow"]


class MergeRow(Base):
    """A record that tells of the same event as another one, which stands for both. No row: it stands for itself.

    Only a record that stands for itself is merged, and only into one that does: so no chain of rows ever closes.
    """

    __tablename__ = "record_merge"

    child_id: Mapped[str] = mapped_column(ForeignKey("record.id"), primary_key=True)
    parent_id: Mapped[str] = mapped_column(ForeignKey("record.id"), index=True)
    merged_us: Mapped[int]
    person: Mapped[str]
    name: Mapped[str]
    reason: Mapped[str]


class StandingRow(Base):
    """How the review of one revision stands, beyond the state that the record carries."""

    __tablename__ = "review_standing"

    record_id: Mapped[str] = mapped_column(ForeignKey("record.id"), primary_key=True)
    revision: Mapped[int]
    category: Mapped[str | None] = mapped_column(String(40))
    """Of the dismissal that counts."""
    first_verdict: Mapped[str | None]
    first_name: Mapped[str | None]
    first_us: Mapped[int | None]
    """The one who has spoken, while another one is waited for."""
    disputed: Mapped[bool]
