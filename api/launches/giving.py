"""A launch is given only where all holds that people look at before vehicles take off, and that the service can know.

It fails closed: what is not known holds it up. The ground station looks at its vehicles once more before it flies.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from api.canonical import canonical, new_id
from api.errors import ConflictError, UnprocessableError
from api.identity.roles import Call
from api.launches.plans import plan_to_fly
from api.launches.schemas import LaunchIn
from api.launches.settings import ChecklistItem, LaunchSettings
from api.launches.stations import find_live
from api.launches.tables import LaunchRow, StationRow
from api.launches.view import launch_of_plan_on_its_way, launch_on_its_way, launch_wire
from api.orders.life import check_person, given_before
from api.trail.audit import append_audit
from api.trail.log import append_event

__all__ = ["give"]

_MOST_SAID = 10


def give(
    session: Session, call: Call, now_us: int, wish: LaunchIn, settings: LaunchSettings
) -> tuple[dict[str, Any], bool]:
    """Give a launch.

    Returns
    -------
    launch, new
        As JSON values; False where this launch was given before under the same name.

    Raises
    ------
    PermissionDeniedError
        When no person gives it, or a key that does not speak for the ground station.
    UnprocessableError
        When the checklist is not that of the service, ticked to its end.
    NotFoundError
        When the planning or the station does not exist.
    ConflictError
        When another launch was given under that name; the plan may not be flown; the station is not live, flies
        already, or has a launch on its way; or a vehicle of the plan is not there, not heard or not ready.
    """
    principal = call.principal
    check_person(LaunchRow, principal, wish.station)
    asked = canonical(wish.model_dump(mode="json"))
    before = given_before(session, LaunchRow, principal, wish.client_id, asked)
    if before is not None:
        append_audit(session, call, now_us, "launch.give", [before.id], again=True)
        return launch_wire(before, now_us), False
    _check_list(wish.checklist, settings.checklist)
    plan = plan_to_fly(session, principal, now_us, wish.planning_id)
    _check_not_flown(session, now_us, wish.planning_id)
    station = find_live(session, now_us, wish.station, settings)
    _check_free(session, now_us, station)
    _check_vehicles(station, plan.sysids)
    row = LaunchRow(
        id=new_id(),
        record_id=plan.record_id,
        source=wish.station,
        planning_id=wish.planning_id,
        plan_name=plan.name,
        plan_sha256=plan.sha256,
        sysids=canonical(plan.sysids),
        person=principal.person,
        name=principal.name,
        client_id=wish.client_id,
        wish=asked,
        given_us=now_us,
        expires_us=now_us + round(wish.expires_s * 1e6),
        state="given",
        words=None,
        changed_us=now_us,
        station=None,
    )
    session.add(row)
    session.flush()
    # Neither the log nor the audit repeats the reason: both outlive the record.
    told = {"launch_id": row.id, "station": row.source}
    append_event(session, now_us, "launch.given", record_id=row.record_id, record_type="plan", **told)
    looked_at = {"checklist": wish.checklist, "sysids": list(plan.sysids), "sha256": plan.sha256, "hours": wish.hours}
    append_audit(session, call, now_us, "launch.give", [row.id], plan=row.record_id, station=row.source, **looked_at)
    return launch_wire(row, now_us), True


def _check_list(ticked: Sequence[str], items: Sequence[ChecklistItem]) -> None:
    left = [f"{item.key!r} ({item.words})" for item in items if item.key not in ticked]
    if left:
        raise UnprocessableError(f"checklist: not ticked: {', '.join(left)}: look at each, then tick it")
    unknown = sorted(set(ticked) - {item.key for item in items})
    if unknown:
        raise UnprocessableError(f"checklist: {unknown[0]!r} is no item of it: GET /launches/checklist lists them")


def _check_not_flown(session: Session, now_us: int, planning_id: str) -> None:
    """Two fleets on the same ways at the same heights: nothing keeps them apart."""
    going = launch_of_plan_on_its_way(session, now_us, planning_id)
    if going is not None:
        raise ConflictError(
            f"launch {going.id} of the same plan by {going.name} to ground station {going.source} is {going.state}: "
            "wait for its end, or withdraw it"
        )


def _check_free(session: Session, now_us: int, station: StationRow) -> None:
    if station.busy is not None:
        raise ConflictError(f"ground station {station.source} is busy: {station.busy}; wait until it stands by")
    going = launch_on_its_way(session, now_us, station.source, station.run)
    if going is not None:
        raise ConflictError(
            f"ground station {station.source} has launch {going.id} of {going.name} on its way ({going.state}): "
            "wait for its end, or withdraw it"
        )


def _check_vehicles(station: StationRow, sysids: Sequence[int]) -> None:
    there = {each["sysid"]: each for each in json.loads(station.vehicles)}
    troubles = [f"vehicle {sysid} {why}" for sysid in sysids if (why := _not_ready(there.get(sysid))) is not None]
    if troubles:
        more = f"; and {len(troubles) - _MOST_SAID} more" if len(troubles) > _MOST_SAID else ""
        raise ConflictError(f"ground station {station.source}: {'; '.join(troubles[:_MOST_SAID])}{more}")


def _not_ready(vehicle: dict[str, Any] | None) -> str | None:
    """Why a vehicle of a station does not take off now; None where it may."""
    if vehicle is None:
        return "is none of its vehicles: link it, or plan for the fleet that is there"
    if not vehicle["heard"]:
        return "is not heard: switch it on, and look at its link"
    if not vehicle["ready"]:
        return f"is not ready: {', '.join(vehicle['why_not']) or 'it does not say why'}"
    return None
