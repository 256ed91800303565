"""How far each outlet is."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from api.store.tables import Base

__all__ = ["OutletRow"]


class OutletRow(Base):
    """A cursor in the event log of one audience."""

    __tablename__ = "outlet"

    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    audience: Mapped[str]
    n: Mapped[int]
    """The last event of that audience which the other side has."""
    moved_us: Mapped[int]
    problem: Mapped[str | None]
    """Why it does not move; None while it does."""
    holder: Mapped[str | None]
    """The process that serves it, until `held_us`: one at a time, or the order would be lost."""
    held_us: Mapped[int]
