"""Orders to vehicles. Times are UTC microseconds since the Unix epoch."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from api.orders.life import Ordered

__all__ = ["OrderRow"]


class OrderRow(Ordered):
    """One order and where it stands; `record_id` is of its vehicle."""

    __tablename__ = "vehicle_order"
    __table_args__ = (
        UniqueConstraint("person", "client_id"),
        Index("ix_vehicle_order_record", "record_id", "given_us", "id"),
        Index("ix_vehicle_order_given", "given_us", "id"),
    )
    WORD: ClassVar[str] = "order"
    RECORD: ClassVar[str] = "vehicle"

    source_id: Mapped[str]
    kind: Mapped[str]
    place: Mapped[str | None]
    """Canonical JSON of where to: of a cue, where it was when the order was given."""
