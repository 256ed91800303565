"""Plannings and the files of their plans. Times are UTC microseconds since the Unix epoch."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from api.store.tables import Base

__all__ = ["PlanningFileRow", "PlanningRow"]


class PlanningRow(Base):
    """A planning, from when it was asked for until it is forgotten."""

    __tablename__ = "planning"
    __table_args__ = (
        Index("ix_planning_asked", "asked_us", "id"),
        Index("ix_planning_state", "state", "asked_us"),
        Index("ix_planning_ended", "ended_us"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str]
    person: Mapped[str]
    """Who answers for it: the account, or the key of a machine."""
    asked_by: Mapped[str]
    """What that is called."""
    asked_us: Mapped[int]
    state: Mapped[str]
    progress: Mapped[float]
    stage: Mapped[str]
    started_us: Mapped[int | None]
    ended_us: Mapped[int | None]
    error: Mapped[str | None]
    adopted_as: Mapped[str | None]
    """Under which source its records are; None where it was not adopted."""
    request: Mapped[str] = mapped_column(deferred=True)
    """JSON, as it was sent."""
    found: Mapped[str | None] = mapped_column(deferred=True)
    """JSON of a `PlanningFound`."""


class PlanningFileRow(Base):
    """A file of a plan."""

    __tablename__ = "planning_file"

    planning_id: Mapped[str] = mapped_column(ForeignKey("planning.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(300), primary_key=True)
    sortie: Mapped[str | None]
    size: Mapped[int]
    content: Mapped[bytes] = mapped_column(deferred=True)
