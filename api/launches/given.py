"""Launches are withdrawn, taken and told of; each change is an event and an entry of the audit.

A launch is flown at most once: one run of its ground station alone can take it, before it expires by the service's
clock, and only after that does it speak to a vehicle.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any

from sqlalchemy.orm import Session

from api.errors import ConflictError, NotFoundError
from api.identity.roles import Call
from api.launches.schemas import LaunchOutcomeIn
from api.launches.tables import LaunchRow
from api.launches.view import find_launch, launch_wire
from api.orders.life import can_become, can_withdraw, check_person
from api.planning.folder import PLAN_FILE
from api.planning.plannings import file_of
from api.trail.audit import Deed, append_deeds
from api.trail.log import append_event

__all__ = ["plan_of", "tell_outcome", "withdraw"]


def withdraw(session: Session, call: Call, now_us: int, launch_id: str) -> dict[str, Any]:
    """Take a launch back that its ground station has not taken.

    Raises
    ------
    NotFoundError
        When it does not exist.
    PermissionDeniedError
        When no person does it, or a key that does not speak for the station.
    ConflictError
        When it was taken, or has ended.
    """
    row = find_launch(session, call.principal, now_us, launch_id)
    check_person(LaunchRow, call.principal, row.source)
    deed = Deed(call, now_us, "launch.withdraw", [launch_id])
    if can_withdraw(row, now_us, "order its vehicles to return"):
        _move(session, deed, row, "withdrawn", f"by {call.principal.name}")
    else:
        append_deeds(session, [replace(deed, detail={"again": True})])
    return launch_wire(row, now_us)


def tell_outcome(session: Session, call: Call, now_us: int, launch_id: str, told: LaunchOutcomeIn) -> dict[str, Any]:
    """A ground station takes a launch, or tells what came of it. The same told again changes nothing.

    Raises
    ------
    NotFoundError
        When it does not exist, or is of a station for which the caller does not speak.
    ConflictError
        When it has expired, was withdrawn, was taken by another run, or cannot become that any more.
    """
    row = find_launch(session, call.principal, now_us, launch_id)
    deed = Deed(call, now_us, "launch.tell", [launch_id])
    if can_become(row, call.principal, now_us, run=told.run, state=told.state):
        row.station = row.station or told.run
        _move(session, deed, row, told.state, told.words)
    else:
        append_deeds(session, [replace(deed, detail={"launch_state": told.state, "again": True})])
    return launch_wire(row, now_us)


def plan_of(session: Session, call: Call, now_us: int, launch_id: str) -> bytes:
    """The file of the plan that a launch is to fly.

    Raises
    ------
    NotFoundError
        When there is no such launch, or the caller does not speak for its station; or the planning was forgotten.
    ConflictError
        When the file is not the one that the launch was given for.
    """
    row = find_launch(session, call.principal, now_us, launch_id)
    if not call.principal.may_speak_for(row.source):
        raise NotFoundError(f"launch {launch_id} does not exist")
    content = file_of(session, call.principal, row.planning_id, PLAN_FILE)
    if sha256(content).hexdigest() != row.plan_sha256:
        raise ConflictError(f"launch {launch_id}: the plan is not the one that it was given for: let it be")
    return content


def _move(session: Session, deed: Deed, row: LaunchRow, state: str, words: str | None) -> None:
    row.state, row.words, row.changed_us = state, words, deed.time_us
    told = {"launch_id": row.id, "station": row.source, "state": state}
    append_event(session, deed.time_us, "launch.changed", record_id=row.record_id, record_type="plan", **told)
    detail = {"plan": row.record_id, "station": row.source, "launch_state": state}
    append_deeds(session, [replace(deed, detail=detail)])
