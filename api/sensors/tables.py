"""Messages of sensors that were refused."""

from __future__ import annotations

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from api.store.tables import Base

__all__ = ["RefusedMessageRow"]


class RefusedMessageRow(Base):
    """A message that was refused, once however often it came."""

    __tablename__ = "refused_message"
    __table_args__ = (Index("ix_refused_message_last", "last_us", "id"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    """Of its topic and its bytes."""
    topic: Mapped[str]
    reason: Mapped[str]
    payload: Mapped[str]
    """Its beginning, as text."""
    size: Mapped[int]
    first_us: Mapped[int]
    last_us: Mapped[int]
    times: Mapped[int]
