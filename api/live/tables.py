"""The newest live state of each vehicle. Times are UTC microseconds since the Unix epoch."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from api.store.tables import Base

__all__ = ["VehicleStateRow"]


class VehicleStateRow(Base):
    """Where one vehicle is: a newer state takes the place of the older one, of which nothing is kept."""

    __tablename__ = "vehicle_state"

    record_id: Mapped[str] = mapped_column(ForeignKey("record.id"), primary_key=True)
    update_us: Mapped[int]
    received_us: Mapped[int]
    document: Mapped[str]
    """Canonical JSON of the state, without the name of its vehicle."""
