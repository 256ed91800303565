"""Orders are given, withdrawn, taken and told of; each change is an event and an entry of the audit.

An order is carried out at most once: one ground station alone can take it, before it expires by the service's clock,
and only after that does it order anything.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.canonical import canonical, new_id
from api.errors import NotFoundError
from api.identity.roles import Call
from api.orders.life import can_become, can_withdraw, check_person, given_before
from api.orders.schemas import OrderIn, OutcomeIn
from api.orders.tables import OrderRow
from api.orders.view import find_order, order_wire
from api.records.kept import find_kept
from api.records.readable import find_readable
from api.trail.audit import Deed, append_audit, append_deeds
from api.trail.log import append_event

__all__ = ["give", "tell_outcome", "withdraw"]

_ENDS_OTHERS = frozenset({"return", "land"})
"""Kinds after which what was ordered before and is not taken has no point."""


def give(session: Session, call: Call, now_us: int, wish: OrderIn) -> tuple[dict[str, Any], bool]:
    """Give an order.

    Returns
    -------
    order, new
        As JSON values; False where this order was given before under the same name.

    Raises
    ------
    PermissionDeniedError
        When no person gives it, or a key that does not speak for the vehicle.
    NotFoundError
        When the vehicle or the cue does not exist or may not be known of.
    ConflictError
        When another order was given under that name.
    """
    principal = call.principal
    vehicle_id = _vehicle_of(session, call, now_us, wish)
    check_person(OrderRow, principal, wish.vehicle.source)
    asked = canonical(wish.model_dump(mode="json"))
    before = given_before(session, OrderRow, principal, wish.client_id, asked)
    if before is not None:
        append_audit(session, call, now_us, "order.give", [before.id], again=True)
        return order_wire(before, now_us), False
    place = None if wish.place is None else wish.place.model_dump(mode="json")
    if wish.cue_id is not None:
        place = _place_of(find_readable(session, principal, now_us, wish.cue_id, type_="cue").feature)
    row = OrderRow(
        id=new_id(),
        record_id=vehicle_id,
        source=wish.vehicle.source,
        source_id=wish.vehicle.source_id,
        person=principal.person,
        name=principal.name,
        client_id=wish.client_id,
        kind=wish.kind,
        wish=asked,
        place=None if place is None else canonical(place),
        given_us=now_us,
        expires_us=now_us + round(wish.expires_s * 1e6),
        state="given",
        words=None,
        changed_us=now_us,
        station=None,
    )
    if wish.kind in _ENDS_OTHERS:
        _supersede(session, call, now_us, row)
    session.add(row)
    session.flush()
    # Neither the log nor the audit repeats the reason or the place: both outlive the record.
    append_event(
        session, now_us, "order.given", record_id=row.record_id, record_type="vehicle", order_id=row.id, order=row.kind
    )
    append_audit(session, call, now_us, "order.give", [row.id], vehicle=row.record_id, order=row.kind)
    return order_wire(row, now_us), True


def withdraw(session: Session, call: Call, now_us: int, order_id: str) -> dict[str, Any]:
    """Take an order back that no ground station has taken.

    Raises
    ------
    NotFoundError
        When it does not exist.
    PermissionDeniedError
        When no person does it, or a key that does not speak for the vehicle.
    ConflictError
        When it was taken, or has ended.
    """
    row = find_order(session, call.principal, now_us, order_id)
    check_person(OrderRow, call.principal, row.source)
    if can_withdraw(row, now_us, "order the opposite"):
        _move(session, Deed(call, now_us, "order.withdraw", [order_id]), row, "withdrawn", f"by {call.principal.name}")
    else:
        append_audit(session, call, now_us, "order.withdraw", [order_id], again=True)
    return order_wire(row, now_us)


def tell_outcome(session: Session, call: Call, now_us: int, order_id: str, told: OutcomeIn) -> dict[str, Any]:
    """A ground station takes an order, or tells what came of it. The same told again changes nothing.

    Raises
    ------
    NotFoundError
        When it does not exist, or is of a vehicle for which the caller does not speak.
    ConflictError
        When it has expired, was withdrawn, was taken by another, or cannot become that any more.
    """
    row = find_order(session, call.principal, now_us, order_id)
    if can_become(row, call.principal, now_us, run=told.station, state=told.state):
        row.station = row.station or told.station
        _move(session, Deed(call, now_us, "order.tell", [order_id]), row, told.state, told.words)
    else:
        append_audit(session, call, now_us, "order.tell", [order_id], order_state=told.state, again=True)
    return order_wire(row, now_us)


def _vehicle_of(session: Session, call: Call, now_us: int, wish: OrderIn) -> str:
    name = wish.vehicle.source, wish.vehicle.source_id
    kept = find_kept(session, "vehicle", [name]).get(name)
    if kept is None:
        raise NotFoundError(f"vehicle {name[1]} of {name[0]} does not exist: deliver its record first")
    find_readable(session, call.principal, now_us, kept.id, type_="vehicle")
    return kept.id


def _place_of(cue: bytes) -> dict[str, float]:
    """Where a cue was, of its Feature."""
    feature = json.loads(cue)
    lon, lat = feature["geometry"]["coordinates"][:2]
    return {"lat": lat, "lon": lon, "uncertainty_m": feature["properties"]["uncertainty_m"]}


def _supersede(session: Session, call: Call, now_us: int, by: OrderRow) -> None:
    waiting = select(OrderRow).where(
        OrderRow.record_id == by.record_id, OrderRow.state == "given", OrderRow.expires_us > now_us
    )
    for row in session.scalars(waiting.order_by(OrderRow.given_us, OrderRow.id)).all():
        deed = Deed(call, now_us, "order.supersede", [row.id])
        _move(session, deed, row, "withdrawn", f"a newer order, {by.kind}, took its place")


def _move(session: Session, deed: Deed, row: OrderRow, state: str, words: str | None) -> None:
    row.state, row.words, row.changed_us = state, words, deed.time_us
    told = {"order_id": row.id, "order": row.kind, "state": state}
    append_event(session, deed.time_us, "order.changed", record_id=row.record_id, record_type="vehicle", **told)
    detail = {"vehicle": row.record_id, "order": row.kind, "order_state": state}
    append_deeds(session, [replace(deed, detail=detail)])
