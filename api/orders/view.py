"""Orders as their readers see them: those of vehicles that they may read, by the rule for records."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy.orm import Session

from api.identity.roles import Principal
from api.orders.life import find_readable_order, readable_orders, standing_of
from api.orders.tables import OrderRow
from api.pages import Page, Window, page_of
from api.records.readable import find_readable
from api.times import iso

__all__ = ["SHOWN_US", "find_order", "list_orders", "order_wire", "recent_orders"]

SHOWN_US = 7_200_000_000
"""How long after it was given an order is told to those who come to the stream: twice what the longest may take."""
_MOST = 1000


def order_wire(row: OrderRow, now_us: int) -> dict[str, Any]:
    """An order as JSON values."""
    wish = json.loads(row.wish)
    return {
        "id": row.id,
        "client_id": row.client_id,
        "vehicle": {"id": row.record_id, "source": row.source, "source_id": row.source_id},
        "kind": row.kind,
        **standing_of(row, now_us),
        "cue_id": wish["cue_id"],
        "place": None if row.place is None else json.loads(row.place),
        "station_s": wish["station_s"],
        "reason": wish["reason"],
        "by": row.name,
        "given": iso(row.given_us),
        "expires": iso(row.expires_us),
        "changed": iso(row.changed_us),
    }


def find_order(session: Session, principal: Principal, now_us: int, order_id: str) -> OrderRow:
    """One order of a vehicle that `principal` may read. Raises NotFoundError."""
    return find_readable_order(session, OrderRow, principal, now_us, order_id)


def list_orders(
    session: Session, principal: Principal, now_us: int, vehicle_id: str | None, window: Window
) -> Page[dict[str, Any]]:
    """Orders, newest first; of one vehicle, or of all that `principal` may read.

    Raises
    ------
    NotFoundError
        When the vehicle does not exist or may not be known of.
    """
    query = readable_orders(OrderRow, principal, now_us)
    if vehicle_id is not None:
        find_readable(session, principal, now_us, vehicle_id, type_="vehicle")
        query = query.where(OrderRow.record_id == vehicle_id)
    found = page_of(session, query, window, OrderRow.given_us, OrderRow.id, newest_first=True)
    return found.map(lambda row: order_wire(row, now_us))


def recent_orders(session: Session, principal: Principal, now_us: int) -> list[dict[str, Any]]:
    """The orders of the last two hours to vehicles for which `principal` may speak, oldest first."""
    query = readable_orders(OrderRow, principal, now_us).where(OrderRow.given_us > now_us - SHOWN_US)
    rows = session.scalars(query.order_by(OrderRow.given_us.desc(), OrderRow.id.desc()).limit(_MOST)).all()
    return [order_wire(row, now_us) for row in reversed(rows) if principal.may_speak_for(row.source)]
