"""Which vehicle of a patrol goes to a cue: the one that sees it soonest, of those that can and may.

One that flies may go only straight, only inside the fence that it was proved to hold, and only where nobody else flies;
one on the ground gets a sortie of its own with a fence of its own. Both come home above their reserve. For each of the
others the answer says why not: what cannot be shown to be lawful is not flown.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely

from autopilot.cue import Answer, Cue, Offer, Standing
from autopilot.diversion import Diversion
from autopilot.errors import FlightError
from geo import LocalFrame
from missions import CueSortie, LegKind, MissionsError, PatrolPlan, Sortie, Viewing, cue_sortie

__all__ = ["dispatch"]

_ROUNDING_M = 1e-6


def dispatch(cue: Cue, plan: PatrolPlan, standings: Sequence[Standing], viewing: Viewing | None = None) -> Answer:
    """The vehicle that sees a cue soonest.

    Parameters
    ----------
    cue
        What to look at.
    plan
        Gives borders, airspace, limits, wind and cameras.
    standings
        Every vehicle of the patrol.
    viewing
        A `Viewing` of this plan and its terrain; by default over level ground.
    """
    viewing = viewing or Viewing(plan)
    offers: list[Offer] = []
    others: dict[int, str] = {}
    for one in standings:
        try:
            offers.append(_offer(cue, viewing, one, [s for s in standings if s is not one]))
        except (MissionsError, FlightError) as error:
            others[one.vehicle.sysid] = str(error)
    if not offers:
        return Answer(cue, None, others)
    chosen = min(offers, key=lambda offer: (offer.arrival_s, offer.sysid))
    for offer in offers:
        if offer is not chosen:
            others[offer.sysid] = f"would be there {offer.arrival_s - chosen.arrival_s:.0f} s later"
    return Answer(cue, chosen, others)


def _offer(cue: Cue, viewing: Viewing, one: Standing, others: Sequence[Standing]) -> Offer:
    """How a vehicle would answer. Raises FlightError or PlanError where it cannot."""
    name = one.vehicle.name
    if one.unfit is not None:
        raise FlightError(f"{name}: {one.unfit}")
    if one.battery is None:
        raise FlightError(f"{name}: does not say what is left of its battery")
    if one.airborne:
        return Diversion(viewing, one, others).offer(cue)
    made = cue_sortie(
        viewing.plan, one.vehicle, cue.spot, station_s=cue.station_s, charge=max(one.battery, 1e-6), viewing=viewing
    )
    _check_apart(made, viewing, others)
    base_amsl = made.sortie.home.amsl_m
    return Offer(
        one.vehicle.sysid,
        one.ready_s + made.arrival_s,
        made.place.lat_deg,
        made.place.lon_deg,
        made.place.amsl_m - base_amsl,
        made.sortie.reserve_left,
        made,
    )


def _check_apart(made: CueSortie, viewing: Viewing, others: Sequence[Standing]) -> None:
    """Whether nobody else stays, or is sent to stay, where it would: stays overlap in time, so their places may not.

    Patrols that pass by are not looked at. Raises FlightError.
    """
    options, frame = viewing.plan.options, LocalFrame(made.place.lat_deg, made.place.lon_deg)
    own, low, high = _stay(made.sortie, frame)
    for other in others:
        taken: list[tuple[shapely.Geometry, float, float]] = []
        if other.sortie is not None and any(leg.kind is LegKind.STATION for leg in other.sortie.legs):
            taken.append(_stay(other.sortie, frame))
        if other.stays is not None:
            east, north, _ = frame.to_enu(other.stays.lat_deg, other.stays.lon_deg)
            base = other.vehicle.base
            amsl = float(viewing.terrain.elevation_m(base.lat_deg, base.lon_deg)) + other.stays.above_home_m
            at = shapely.Point(float(east), float(north))
            taken.append((at.buffer(other.stays_m) if other.stays_m else at, amsl, amsl))
        up = options.separation_up_m - _ROUNDING_M
        for place, bottom, top in taken:
            away_m = float(shapely.distance(place, own))
            if bottom < high + up and top > low - up and away_m < options.separation_m:
                raise FlightError(
                    f"{made.sortie.vehicle.name}: vehicle {other.vehicle.sysid} is sent to a place {away_m:.0f} m from "
                    f"where it would stay, at its height; {options.separation_m:g} m are kept"
                )


def _stay(sortie: Sortie, frame: LocalFrame) -> tuple[shapely.Geometry, float, float]:
    """All that lies within what a sortie flies on station, and its heights AMSL, metres."""
    ends = [end for leg in sortie.legs if leg.kind is LegKind.STATION for end in (leg.start, leg.end)]
    east, north, _ = frame.to_enu([end.lat_deg for end in ends], [end.lon_deg for end in ends])
    heights = [end.amsl_m for end in ends]
    return shapely.MultiPoint(np.stack([east, north], axis=-1)).convex_hull, min(heights), max(heights)
