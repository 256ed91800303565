"""Launches as their readers see them: those of plans that they may read, by the rule for records."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.identity.roles import Principal
from api.launches.tables import LaunchRow, StationRow
from api.orders.life import find_readable_order, readable_orders, standing_of
from api.orders.states import state_at
from api.pages import Page, Window, page_of
from api.times import iso

__all__ = [
    "find_launch",
    "launch_of_plan_on_its_way",
    "launch_on_its_way",
    "launch_wire",
    "launches_that_wait",
    "list_launches",
]

_GOING = ("given", "taken", "accepted")


def launch_wire(row: LaunchRow, now_us: int) -> dict[str, Any]:
    """A launch as JSON values."""
    wish = json.loads(row.wish)
    return {
        "id": row.id,
        "client_id": row.client_id,
        "station": row.source,
        "planning_id": row.planning_id,
        "plan_id": row.record_id,
        "plan_name": row.plan_name,
        "plan_sha256": row.plan_sha256,
        "sysids": json.loads(row.sysids),
        "hours": wish["hours"],
        "checklist": wish["checklist"],
        "reason": wish["reason"],
        "by": row.name,
        "given_at": iso(row.given_us),
        "expires_at": iso(row.expires_us),
        **standing_of(row, now_us),
        "changed_at": iso(row.changed_us),
        "run": row.station,
    }


def find_launch(session: Session, principal: Principal, now_us: int, launch_id: str) -> LaunchRow:
    """One launch of a plan that `principal` may read. Raises NotFoundError."""
    return find_readable_order(session, LaunchRow, principal, now_us, launch_id)


def list_launches(
    session: Session, principal: Principal, now_us: int, station: str | None, window: Window
) -> Page[dict[str, Any]]:
    """Launches, newest first; to one station, or all of plans that `principal` may read."""
    query = readable_orders(LaunchRow, principal, now_us)
    if station is not None:
        query = query.where(LaunchRow.source == station)
    found = page_of(session, query, window, LaunchRow.given_us, LaunchRow.id, newest_first=True)
    return found.map(lambda row: launch_wire(row, now_us))


def launches_that_wait(session: Session, principal: Principal, now_us: int, station: str) -> list[dict[str, Any]]:
    """The launches that a station may take now, oldest first."""
    waiting = LaunchRow.source == station, LaunchRow.state == "given", LaunchRow.expires_us > now_us
    query = readable_orders(LaunchRow, principal, now_us).where(*waiting)
    return [launch_wire(row, now_us) for row in session.scalars(query.order_by(LaunchRow.given_us, LaunchRow.id))]


def launch_of_plan_on_its_way(session: Session, now_us: int, planning_id: str) -> LaunchRow | None:
    """A launch of a plan that waits, or that the run of its station that is heard has not told the end of."""
    going = LaunchRow.planning_id == planning_id, LaunchRow.state.in_(_GOING)
    for row in session.scalars(select(LaunchRow).where(*going).order_by(LaunchRow.given_us, LaunchRow.id)):
        station = session.get(StationRow, row.source)
        runs = {None} if station is None else {None, station.run}
        if state_at(row.state, row.expires_us, now_us) in _GOING and row.station in runs:
            return row
    return None


def launch_on_its_way(session: Session, now_us: int, station: str, run: str) -> LaunchRow | None:
    """A launch that waits for a station, or that this run of it has taken and not told the end of; whoever asks."""
    going = LaunchRow.source == station, LaunchRow.state.in_(_GOING)
    for row in session.scalars(select(LaunchRow).where(*going).order_by(LaunchRow.given_us, LaunchRow.id)):
        if state_at(row.state, row.expires_us, now_us) in _GOING and row.station in {None, run}:
            return row
    return None
