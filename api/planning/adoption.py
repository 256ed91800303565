"""A plan becomes one of the service: records of its segments, its fleet, itself and each flight of its shift.

They go the way of all deliveries, named after the planning: adopted twice, a plan is there once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from pydantic import ValidationError
from sqlalchemy.orm import Session

import missions
from api.errors import ConflictError, PermissionDeniedError, UnprocessableError
from api.identity.roles import Call
from api.ingest.records import Outcome, deliver_all
from api.planning.folder import PLAN_FILE
from api.planning.orders import WORDS
from api.planning.plannings import done, file_of, find
from api.planning.read_back import plan_in
from api.planning.schemas import AdoptionIn
from api.records.schemas import RecordIn
from api.records.types import TYPES
from api.times import datetime_of, iso_of
from api.trail.audit import append_audit

__all__ = ["adopt"]

Member = dict[str, Any]


def adopt(session: Session, call: Call, now_us: int, planning_id: str, wish: AdoptionIn) -> dict[str, Any]:
    """Deliver the records of a plan, as an `AdoptionOut`.

    Raises
    ------
    NotFoundError
        When there is no such planning.
    ConflictError
        When it is not done, or was adopted otherwise before, or under another source.
    PermissionDeniedError
        When the caller may not deliver for that source.
    UnprocessableError
        When nobody says when the shift begins, or a record cannot be told of the plan.
    """
    row = done(find(session, call.principal, planning_id, held=True))
    if row.adopted_as not in {None, wish.source}:
        raise ConflictError(f"source: the plan was adopted as one of {row.adopted_as!r}, and would be there twice")
    content = file_of(session, call.principal, planning_id, PLAN_FILE)
    plan = plan_in(content)
    start = _start(plan, wish)
    assert row.ended_us is not None  # it is done
    common = wish.model_dump(mode="json", exclude={"start"}) | {
        "time": iso_of(start),
        "update_time": iso_of(datetime_of(row.ended_us)),
    }
    members = {
        "segment": [_segment(planning_id, number, line) for number, line in enumerate(plan.borders, 1)],
        "fleet": [_fleet(planning_id, row.name, plan)],
        "plan": [_plan(planning_id, row.name, plan, sha256(content).hexdigest())],
        "sortie": _sorties(planning_id, plan, start),
    }
    records = [
        record
        for name, own in members.items()
        for record in _delivered(session, call, now_us, name, [common | member for member in own])
    ]
    row.adopted_as = wish.source
    append_audit(session, call, now_us, "planning.adopt", [planning_id])
    plan_id = next(record["id"] for record in records if record["type"] == "plan")
    return {"plan_id": plan_id, "records": records}


def _start(plan: missions.PatrolPlan, wish: AdoptionIn) -> datetime:
    said = plan.options.shift_start
    if said and wish.start is not None and datetime.fromisoformat(said) != wish.start:
        raise UnprocessableError(f"start: the plan is for {said}: leave start out, or plan for another")
    if not said and wish.start is None:
        raise UnprocessableError("start: the plan is for any day: say when its shift begins")
    return datetime.fromisoformat(said) if said else wish.start  # type: ignore[return-value]


def _delivered(session: Session, call: Call, now_us: int, name: str, members: Sequence[Member]) -> list[dict[str, Any]]:
    type_ = TYPES[name]
    try:
        given: list[RecordIn] = [type_.model.model_validate(member) for member in members]  # type: ignore[misc]
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise UnprocessableError(f"the {name} of this plan is no record: {where}: {first['msg']}") from None
    told = []
    for record, each in zip(given, deliver_all(session, call, now_us, type_, given), strict=True):
        if each.outcome is Outcome.FORBIDDEN:
            raise PermissionDeniedError(each.note or "this key may not deliver for that source")
        if each.outcome is Outcome.CONFLICT:
            raise ConflictError(f"the plan was adopted before in other words, and stays as it is: {each.note}")
        told.append({"type": name, "id": each.id, "source_id": record.source_id, "outcome": each.outcome.value})
    return told


def _segment(planning_id: str, number: int, line: missions.BorderSegment) -> Member:
    return {
        "source_id": f"{planning_id}/segment/{number}",
        "name": line.name,
        "authority": line.authority or None,
        "line": line.coordinates,
        "own_side": line.own_side.value,
        "priority": 1 / line.priority,  # here the greater comes first, there 1
        "stand_off_m": line.stand_off_m,
        "band_depth_m": line.band_own_m + line.band_far_m,
    }


def _fleet(planning_id: str, name: str, plan: missions.PatrolPlan) -> Member:
    standing = Counter((v.aircraft.kind, v.base.name) for v in plan.fleet.vehicles)
    return {
        "source_id": f"{planning_id}/fleet",
        "name": name,
        "aircraft": [{"model": kind, "count": count, "base": base} for (kind, base), count in standing.items()],
        "bases": {v.base.name: (v.base.lon_deg, v.base.lat_deg) for v in plan.fleet.vehicles},
    }


def _plan(planning_id: str, name: str, plan: missions.PatrolPlan, digest: str) -> Member:
    # What bounds a plan by risk is no time: it bounds the revisit interval times its weight.
    bound_s = None if plan.options.objective is missions.Objective.RISK else plan.revisit_bound_s
    return {
        "source_id": planning_id,
        "name": name,
        "segments": [line.name for line in plan.borders],
        "objective": WORDS[plan.options.objective],
        "revisit_s": plan.revisit_s,
        "lower_bound_s": bound_s,
        "seen_share": min(1.0, plan.coverage.share),
        "sorties": len(plan.sorties),
        "ways": [_way(sortie) for sortie in plan.sorties],
        "sha256": digest,
    }


def _sorties(planning_id: str, plan: missions.PatrolPlan, start: datetime) -> list[Member]:
    """Each flight of the shift."""
    names = {vehicle.sysid: vehicle.name for vehicle in plan.fleet.vehicles}
    told = []
    for number, flight in enumerate(plan.flights, 1):
        sortie = plan.sorties[flight.sortie]
        take_off = start + timedelta(seconds=flight.start_s)
        told.append(
            {
                "source_id": f"{planning_id}/flight/{number}",
                "plan": planning_id,
                "vehicle": names[flight.sysid],
                "state": "planned",
                "take_off": iso_of(take_off),
                "landing": iso_of(take_off + timedelta(seconds=sortie.duration_s)),
                "time": iso_of(take_off),
                "way": _way(sortie),
                "battery_left": min(1.0, max(0.0, sortie.reserve_left)),
            }
        )
    return told


def _way(sortie: missions.Sortie) -> list[tuple[float, float]]:
    return [(place.lon_deg, place.lat_deg) for place in sortie.way]
