"""A sortie to a spot that was reported: out by a lawful way, look at it for a while, home; as a plan of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np

from geo import Terrain
from missions.building import joined
from missions.errors import MissionError, PlanError
from missions.fleet import Vehicle
from missions.flying import Pilot
from missions.mission import Dialect, Mission, MissionItem, compile_mission
from missions.options import Objective
from missions.patrol import Flight, Leg, LegKind, PatrolPlan, Period, Roster, Sortie, Waypoint
from missions.procedures import climb_out, way_down, with_procedures
from missions.validation import check
from missions.validation_fence import validate_missions
from missions.viewing import Sight, Spot, Viewing

__all__ = ["CueSortie", "cue_sortie"]

_WAYPOINT, _ROI, _ROI_NONE = 16, 195, 197
_FRAME_GLOBAL, _FRAME_MISSION = 0, 2
_TRIED = 5


@dataclass(frozen=True, slots=True)
class CueSortie:
    """A sortie to a spot.

    Parameters
    ----------
    plan
        A plan of this one sortie, which passes `check`.
    spot, place
        What is looked at, and from where.
    arrival_s
        From take-off until it is there, seconds.
    ground_amsl_m
        Elevation of the spot, metres.
    """

    plan: PatrolPlan
    spot: Spot
    place: Waypoint
    arrival_s: float
    ground_amsl_m: float

    @property
    def sortie(self) -> Sortie:
        """The sortie."""
        return self.plan.sorties[0]

    def mission(self, dialect: Dialect = "ardupilot") -> Mission:
        """Its mission: that of any sortie, with the camera on the spot while it stays there. Raises MissionError."""
        made = compile_mission(self.plan, self.sortie, dialect)
        stay = next(k for k, item in enumerate(made.items) if item.command == _WAYPOINT and item.p1 > 0)
        x, y = round(self.spot.lat_deg * 1e7), round(self.spot.lon_deg * 1e7)
        look = MissionItem(0, _FRAME_GLOBAL, _ROI, x=x, y=y, z=round(self.ground_amsl_m, 2))
        items = [*made.items[:stay], look, made.items[stay], MissionItem(0, _FRAME_MISSION, _ROI_NONE)]
        items += made.items[stay + 1 :]
        return replace(made, items=tuple(replace(item, seq=k) for k, item in enumerate(items)))


def cue_sortie(
    plan: PatrolPlan,
    vehicle: Vehicle,
    spot: Spot,
    *,
    station_s: float = 120.0,
    charge: float = 1.0,
    terrain: Terrain | None = None,
    viewing: Viewing | None = None,
) -> CueSortie:
    """The sortie of a vehicle from its base to the place that it reaches soonest from which a spot is seen, and home.

    Parameters
    ----------
    plan
        Gives borders, airspace, limits, wind, cameras and heights.
    vehicle
        Who flies; it stands at its base.
    spot
        What to look at.
    station_s
        How long to stay there, seconds.
    charge
        Share of its battery that it has, above 0, at most 1.
    terrain
        The ground; level, as in the plan, by default.
    viewing
        A `Viewing` of this plan and terrain, where one is made already.

    Raises
    ------
    PlanError
        When it is seen from no lawful place, no lawful way leads there, the battery does not take it there and home
        above the reserve, or the aircraft cannot stay at a place; the message says which.
    """
    if vehicle.aircraft.has_wings:
        raise PlanError(f"{vehicle.name}: has wings and stays nowhere: send a multirotor")
    if not (math.isfinite(station_s) and station_s > 0 and 0 < charge <= 1):
        raise PlanError(f"a stay of {station_s} s with {charge} of a battery: give seconds above 0, a share up to 1")
    viewing = viewing or Viewing(plan, terrain)
    look = viewing.observation(vehicle)
    start = vehicle.base.lat_deg, vehicle.base.lon_deg
    problem: Exception | None = None
    for sight in viewing.sights(vehicle, start, spot, look.height_agl_m)[:_TRIED]:
        try:
            return _built(viewing, vehicle, spot, sight, (station_s, charge))
        except (PlanError, MissionError) as error:
            problem = problem or error
    raise PlanError(str(problem)) from None


def _built(viewing: Viewing, vehicle: Vehicle, spot: Spot, sight: Sight, given: tuple[float, float]) -> CueSortie:
    station_s, charge = given
    plan, craft = viewing.plan, vehicle.aircraft
    legs, stay = _legs(viewing, vehicle, sight, station_s)
    used_wh, left_wh = sum(leg.energy_wh for leg in legs), (charge - craft.reserve_fraction) * craft.battery_wh
    if used_wh > left_wh:
        raise PlanError(
            f"{vehicle.name}: there, {station_s:.0f} s there and home take {used_wh:.0f} Wh, it has {left_wh:.0f} Wh "
            "above its reserve"
        )
    number = plan.observations.index(viewing.observation(vehicle))
    sortie = Sortie(f"{vehicle.name}-cue", vehicle, 1, 0.0, legs, (), number, charge)
    made = replace(
        plan,
        options=replace(plan.options, objective=Objective.ONCE),
        sorties=(sortie,),
        flights=(Flight(0.0, 0, vehicle.sysid, 1),),
        periods=(Period(0.0, (Roster((vehicle.sysid,), (0,)),)),),
        revisit_s=sortie.duration_s,
        risk_s=None,
        notes=(f"a sortie to {spot.lat_deg:.6f}, {spot.lon_deg:.6f}",),
    )
    ground = viewing.terrain if np.isfinite(viewing.terrain.resolution_m) else None
    broken = check(made, ground)
    spot_ground = float(viewing.terrain.elevation_m(spot.lat_deg, spot.lon_deg))
    arrival_s = sum(leg.duration_s for leg in legs[:stay])
    found = CueSortie(made, spot, legs[stay].start, arrival_s, spot_ground)
    for dialect in get_args(Dialect):
        broken += validate_missions(made, [found.mission(dialect)]).violations
    if broken:
        raise PlanError(f"the way there breaks {len(broken)} rules, and is not flown: {broken[0]}")
    return found


def _legs(viewing: Viewing, vehicle: Vehicle, sight: Sight, station_s: float) -> tuple[tuple[Leg, ...], int]:
    """The legs, and the number of that which stays; out and home each in the layer of transits."""
    options, craft = viewing.plan.options, vehicle.aircraft
    out_agl, home_agl = options.layers_agl_m(viewing.observation(vehicle).height_agl_m)
    pilot = Pilot(sight.region.plane, viewing.terrain, options.wind)
    # What has a runway stays nowhere.
    up, down = climb_out(vehicle.base, None, pilot, out_agl), way_down(vehicle.base, None, pilot, home_agl)
    out = [up[-1], *pilot.waypoints(sight.way, out_agl)[1:]]
    home = [*pilot.waypoints(sight.way[::-1], home_agl)[:-1], down[0]]
    there = [
        *pilot.legs(LegKind.TAKEOFF, up, craft, craft.cruise_m_s),
        *pilot.legs(LegKind.TRANSIT, [*out, sight.at], craft, craft.cruise_m_s),
    ]
    energy_wh = float(craft.power_w(0.0, level=False)) * station_s / 3600
    stay = Leg(LegKind.TRANSIT, sight.at, sight.at, 0.0, 0.0, station_s, energy_wh)
    back: Sequence[Leg] = [
        *pilot.legs(LegKind.RETURN, [sight.at, *home], craft, craft.cruise_m_s),
        *pilot.legs(LegKind.LANDING, down, craft, craft.cruise_m_s),
    ]
    # Joining moves ends by a hair; the place itself must not move while it stays.
    there = joined(there)
    stay = replace(stay, start=there[-1].end, end=there[-1].end)
    return with_procedures(joined([*there, stay, *back]), craft), len(there)
