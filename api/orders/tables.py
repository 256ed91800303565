"""Orders to vehicles. Times are UTC microseconds since the Unix epoch."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from api.store.tables import Base

__all__ = ["OrderRow"]


class OrderRow(Base):
    """One order and where it stands."""

    __tablename__ = "vehicle_order"
    __table_args__ = (
        UniqueConstraint("person", "client_id"),
        Index("ix_vehicle_order_record", "record_id", "given_us", "id"),
        Index("ix_vehicle_order_given", "given_us", "id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    record_id: Mapped[str] = mapped_column(ForeignKey("record.id"))
    source: Mapped[str]
    source_id: Mapped[str]
    person: Mapped[str]
    """Who answers for it, as `Principal.person`."""
    name: Mapped[str]
    client_id: Mapped[str]
    kind: Mapped[str]
    wish: Mapped[str]
    """Canonical JSON of what was asked for."""
    place: Mapped[str | None]
    """Canonical JSON of where to: of a cue, where it was when the order was given."""
    given_us: Mapped[int]
    expires_us: Mapped[int]
    state: Mapped[str]
    """As it was last written: `api.orders.states.state_at` says what it is."""
    words: Mapped[str | None]
    changed_us: Mapped[int]
    station: Mapped[str | None] = mapped_column(String(32))
    """Which running ground station took it."""
