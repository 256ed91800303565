"""Ground stations that stand by, and launches. Times are UTC microseconds since the Unix epoch."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from api.orders.life import Ordered
from api.store.tables import Base

__all__ = ["LaunchRow", "StationRow"]


class StationRow(Base):
    """What a ground station told of itself last."""

    __tablename__ = "ground_station"

    source: Mapped[str] = mapped_column(String(200), primary_key=True)
    run: Mapped[str] = mapped_column(String(32))
    told_us: Mapped[int]
    busy: Mapped[str | None]
    """What it flies, in its own words; None where it stands by."""
    vehicles: Mapped[str]
    """Canonical JSON of the vehicles that it hears, `StationVehicleIn` each."""


class LaunchRow(Ordered):
    """One launch and where it stands; `record_id` is of the plan, which was adopted."""

    __tablename__ = "launch"
    __table_args__ = (
        UniqueConstraint("person", "client_id"),
        Index("ix_launch_record", "record_id"),
        Index("ix_launch_source", "source", "given_us", "id"),
        Index("ix_launch_given", "given_us", "id"),
    )
    WORD: ClassVar[str] = "launch"
    RECORD: ClassVar[str] = "plan"

    planning_id: Mapped[str] = mapped_column(String(32))
    """Which left the plan's file; it may be forgotten meanwhile."""
    plan_name: Mapped[str]
    plan_sha256: Mapped[str] = mapped_column(String(64))
    """Of `plan.json` as it was when the launch was given."""
    sysids: Mapped[str]
    """JSON list of the system ids of the plan's fleet, in order."""
