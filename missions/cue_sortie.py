"""A sortie to a spot that was reported: out by a lawful way, look at it for a while, home; as a plan of its own.

Rotors stay at a place. Wings circle about one; they take off and land as they do in the plan.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import get_args

import numpy as np

from geo import LocalFrame, Terrain, geodesic_distance_m, true_per_equivalent, wrap_longitudes
from missions.band import BandLine
from missions.building import joined, led, legs_of
from missions.cue_ways import CueWay, circle_of, cue_ways, ends_of
from missions.errors import MissionError, PlanError
from missions.fleet import Aircraft, Vehicle
from missions.flying import Part
from missions.headroom import level_m
from missions.mission import Dialect, Mission, MissionItem, compile_mission, legs_behind
from missions.network_lines import band_of
from missions.overflown import overflown
from missions.patrol import Bound, Coverage, Flight, PatrolPlan, Period, Roster, Uncovered
from missions.procedures import met, with_procedures
from missions.sortie import Leg, LegKind, Sortie, Waypoint
from missions.thin_air import in_thinner_air
from missions.validation import check
from missions.validation_fence import validate_missions
from missions.viewing import Spot, Viewing
from missions.wind import Wind

__all__ = ["CueSortie", "cue_sortie"]

_ROI, _ROI_NONE = 195, 197
_FRAME_GLOBAL, _FRAME_MISSION = 0, 2
_TRIED = 5
_UNWATCHED = "it looks at that place alone and watches nothing of the band"
_ROUNDING = 1 - 1e-3
"""What the bound is lowered by: lengths in planes and on the ellipsoid, and courses over a long way, differ by less."""


@dataclass(frozen=True, slots=True)
class CueSortie:
    """A sortie to a spot.

    Parameters
    ----------
    plan
        A plan of this one sortie, which passes `check`.
    spot, place
        What is looked at, and from where: of wings, where their circles begin.
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
        flown = [legs_behind(made, self.sortie, k) for k in range(len(made.items))]
        legs = [n for n, leg in enumerate(self.sortie.legs) if leg.kind is LegKind.STATION]
        # The items that the legs on station end at.
        first, last = flown.index(legs[0] + 1), flown.index(legs[-1] + 1)
        x, y = round(self.spot.lat_deg * 1e7), round(self.spot.lon_deg * 1e7)
        look = MissionItem(0, _FRAME_GLOBAL, _ROI, x=x, y=y, z=round(self.ground_amsl_m, 2))
        items = [*made.items[:first], look, *made.items[first : last + 1], MissionItem(0, _FRAME_MISSION, _ROI_NONE)]
        items += made.items[last + 1 :]
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
        When it is seen from no lawful place, no lawful way leads there, or the battery does not take it there and home
        above the reserve; of wings when there is no room for their circles, or nothing like them flies from their base
        in the plan; the message says which.
    """
    if not (math.isfinite(station_s) and station_s > 0 and 0 < charge <= 1):
        raise PlanError(f"a stay of {station_s} s with {charge} of a battery: give seconds above 0, a share up to 1")
    viewing = viewing or Viewing(plan, terrain)
    ends = ends_of(plan, vehicle)
    height_agl_m = viewing.observation(vehicle).height_agl_m
    circle_m = circle_of(vehicle.aircraft, plan.options.wind)
    sights = viewing.sights(vehicle, ends.start, spot, height_agl_m, circle_m=circle_m)
    ways = (way for sight in sights for way in cue_ways(viewing, vehicle, ends, sight, (circle_m, station_s)))
    problem: Exception | None = None
    for way in islice(ways, _TRIED):
        try:
            return _built(viewing, vehicle, spot, way, (station_s, charge))
        except (PlanError, MissionError) as error:
            problem = problem or error
    raise PlanError(str(problem or f"{vehicle.name}: no room is left to circle where the spot is seen")) from None


def _built(viewing: Viewing, vehicle: Vehicle, spot: Spot, way: CueWay, given: tuple[float, float]) -> CueSortie:
    station_s, charge = given
    plan, craft = viewing.plan, vehicle.aircraft
    legs = _legs(viewing, vehicle, way, station_s)
    used_wh, left_wh = sum(leg.energy_wh for leg in legs), (charge - craft.reserve_fraction) * craft.battery_wh
    if used_wh > left_wh:
        raise PlanError(
            f"{vehicle.name}: there, {station_s:.0f} s there and home take {used_wh:.0f} Wh, it has {left_wh:.0f} Wh "
            "above its reserve"
        )
    number = plan.observations.index(viewing.observation(vehicle))
    sortie = Sortie(f"{vehicle.name}-cue", vehicle, 1, 0.0, legs, (), number, charge)
    notes = [
        f"a sortie to {spot.lat_deg:.6f}, {spot.lon_deg:.6f}: {_UNWATCHED}",
        *overflown([sortie], plan.options, viewing.terrain),
    ]
    made = replace(
        plan,
        options=plan.options.once_from_now(),
        sorties=(sortie,),
        flights=(Flight(0.0, 0, vehicle.sysid, 1),),
        periods=(Period(0.0, (Roster((vehicle.sysid,), (0,)),)),),
        revisit_s=sortie.duration_s,
        bounds=(_bound(plan, vehicle, legs, station_s),),
        risk_s=None,
        coverage=_nothing_of_the_band(plan),
        notes=tuple(notes),
    )
    if not craft.has_wings:
        # Whoever is asked in flight what its ways home take counts with the air up there; wings are to turn as planned.
        made = replace(made, options=in_thinner_air(made) or made.options)
    ground = viewing.terrain if np.isfinite(viewing.terrain.resolution_m) else None
    broken = check(made, ground)
    spot_ground = float(viewing.terrain.elevation_m(spot.lat_deg, spot.lon_deg))
    stay = next(k for k, leg in enumerate(legs) if leg.kind is LegKind.STATION)
    arrival_s = sum(leg.duration_s for leg in legs[:stay])
    found = CueSortie(made, spot, legs[stay].start, arrival_s, spot_ground)
    for dialect in get_args(Dialect):
        broken += validate_missions(made, [found.mission(dialect)]).violations
    if broken:
        raise PlanError(f"the way there breaks {len(broken)} rules, and is not flown: {broken[0]}")
    return found


def _nothing_of_the_band(plan: PatrolPlan) -> Coverage:
    """The coverage of a flight that patrols nothing: no line is seen, and each has its part of the band."""
    lines = [*map(band_of, plan.borders), *map(band_of, plan.branches)]
    lengths = [float(line.along_m()[-1]) for line in lines]
    areas = np.array([length * (line.left_m + line.right_m) for line, length in zip(lines, lengths, strict=True)])
    # Bands overlap where lines bend and meet: all of them together are as large as the patrol found.
    areas *= plan.coverage.band_area_m2 / areas.sum()
    gaps = tuple(
        Uncovered(0.0, length, float(area), *_middle(line), _UNWATCHED, line.name)
        for line, length, area in zip(lines, lengths, areas, strict=True)
    )
    return Coverage(plan.coverage.band_area_m2, 0.0, gaps, (), plan.coverage.step_m)


def _middle(line: BandLine) -> tuple[float, float]:
    """Latitude and longitude of a place half-way along a line."""
    k = len(line.lat_deg) // 2
    return float(line.lat_deg[k]), float(wrap_longitudes(line.lon_deg[k]))


def _bound(plan: PatrolPlan, vehicle: Vehicle, legs: Sequence[Leg], station_s: float) -> Bound:
    """Straight there and home at cruise without a climb, and the stay: through steady air nothing is faster."""
    stays = [leg for leg in legs if leg.kind is LegKind.STATION]
    ways = ((legs[0].start, stays[0].start), (stays[-1].end, legs[-1].end))
    # Nowhere is the air thinner than where they are highest.
    air = replace(plan.options.wind, air_amsl_m=max(leg.end.amsl_m for leg in legs))
    return Bound(
        "straight there and home",
        (sum(_straight_s(air, vehicle.aircraft, *ends) for ends in ways) + station_s) * _ROUNDING,
        "with this stay at this place, whatever its ways out and home",
    )


def _straight_s(wind: Wind, craft: Aircraft, start: Waypoint, end: Waypoint) -> float:
    """Seconds from one place to another: rotors hold a speed over the ground, wings one through the air."""
    apart_m = float(geodesic_distance_m(start.lat_deg, start.lon_deg, end.lat_deg, end.lon_deg))
    east, north, _ = LocalFrame(start.lat_deg, start.lon_deg).to_enu(end.lat_deg, end.lon_deg)
    course = np.array([[float(east), float(north)]]) / max(math.hypot(float(east), float(north)), 1e-9)
    speed = (
        float(wind.ground_speed(course, craft.true_m_s(craft.cruise_m_s, wind))[0])
        if craft.has_wings
        else craft.cruise_m_s
    )
    return apart_m / speed if speed > 0 else 0.0


def _legs(viewing: Viewing, vehicle: Vehicle, way: CueWay, station_s: float) -> tuple[Leg, ...]:
    """The legs: out and home each in the layer of transits, on station at the height of the patrol.

    Before ground too steep for them wings circle up or down on their ways, as on any other.
    """
    options, craft, pilot = viewing.plan.options, vehicle.aircraft, way.pilot
    height_agl_m = viewing.observation(vehicle).height_agl_m
    out_agl, home_agl = way.climb[-1].agl_m, way.down[0].agl_m
    bounds = options.floor_agl_m, options.ceiling_agl_m
    low = options.floor_agl_m, options.patrol_ceiling_agl_m
    place = way.out[-1:] if way.ring is None else way.ring
    parts = [
        Part(way.out, out_agl, bounds, craft.cruise_m_s, level_m=level_m(craft, options.wind)),
        Part(place, height_agl_m, low, craft.cruise_m_s, circle=way.ring is not None),
        Part(way.home, home_agl, bounds, craft.cruise_m_s),
    ]
    upright = not craft.needs_runway and pilot.sloped(craft)
    begin, end = (None if upright else at for at in (way.climb[-1], way.down[0]))
    out, ((_, there),), home = led(pilot, parts, craft, (begin, end), way.clear)
    climb, down = [*way.climb], [*way.down]
    if upright:
        climb[-1], down[0] = met(climb[-1], out[0][1], 0), met(down[0], home[-1][1], -1)
    out[-1][1].append(there[0])
    home[0][1].insert(0, there[-1])
    made = pilot.legs(LegKind.TAKEOFF, climb, craft, craft.cruise_m_s)
    made += legs_of(pilot, LegKind.TRANSIT, out, craft)
    if way.ring is None:
        # Joining moves ends by a hair; the place itself must not move while it stays.
        made = joined(made)
        stay = made[-1].end
        thin = true_per_equivalent(stay.amsl_m)
        energy_wh = float(craft.power_w(0.0, level=False, thin=thin)) * station_s / 3600
        made.append(Leg(LegKind.STATION, stay, stay, 0.0, 0.0, station_s, energy_wh))
    else:
        made += pilot.legs(LegKind.STATION, there, craft, craft.cruise_m_s)
    made += legs_of(pilot, LegKind.RETURN, home, craft)
    made += pilot.legs(LegKind.LANDING, down, craft, craft.cruise_m_s)
    return with_procedures(joined(made), craft)
