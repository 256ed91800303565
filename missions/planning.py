"""Border and fleet in, patrol plan out."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from geo import FlatTerrain, Terrain, locate
from missions.border import BorderSegment
from missions.bound import revisit_bound
from missions.check import check
from missions.coverage import cover
from missions.errors import PlanError
from missions.fleet import Base, Fleet, Vehicle
from missions.flightline import WALL_M, FlightLine, Roads, extended, flight_line
from missions.flying import Pilot, leg_effort
from missions.limits import FENCE_TOLERANCE, FENCE_VERTICES, MAX_ITEMS
from missions.observation import Observation, observe
from missions.partition import Block, Costs, share_out
from missions.options import PlanOptions
from missions.patrol import Leg, LegKind, PatrolPlan, Sortie, Waypoint
from missions.plane import Plane

__all__ = ["plan"]

Floats = NDArray[np.float64]

_MAX_EXTENT_M = 400_000.0
_STATIONS = 400
_STATION_M = 50.0
_TIGHTENINGS = 4


def plan(
    border: BorderSegment,
    fleet: Fleet,
    terrain: Terrain | None = None,
    options: PlanOptions | None = None,
) -> PatrolPlan:
    """Plan the patrol of a border by a fleet.

    Every aircraft watches one contiguous stretch in as many sorties as its battery needs, and begins again when it is
    through: the revisit interval is the longest of these cycles, and the stretches are cut so that it is the shortest.
    Aircraft share a line in the order of their bases along it.

    Separation: stretches are disjoint, so patrols are apart along the line; transits are flown higher, in layers by
    vehicle as far as the ceiling allows, and first take-offs are staggered.

    Parameters
    ----------
    border, fleet
        What to watch, with what.
    terrain
        The ground; flat at sea level by default.
    options
        Limits to plan within.

    Returns
    -------
    PatrolPlan
        One that passes `check`. Parts of the band that it does not see are listed in its coverage with the reason.

    Raises
    ------
    PlanError
        When a base is on the wrong side, too near to the border or out of reach, or no part can be patrolled.
    ObservationError
        When the camera cannot see the band from behind the stand-off.
    """
    return _Planner(border, fleet, terrain or FlatTerrain(), options or PlanOptions()).plan()


class _Planner:
    """The state of one planning run."""

    def __init__(self, border: BorderSegment, fleet: Fleet, terrain: Terrain, options: PlanOptions) -> None:
        self.border, self.fleet, self.options = border, fleet, options
        self.terrain = terrain
        self.plane = Plane(border)
        self.pilot = Pilot(self.plane, terrain)
        self.border_xy = border.local_line(self.plane.frame)
        if float(np.ptp(self.border_xy, axis=0).max()) > _MAX_EXTENT_M:
            raise PlanError(
                f"border {border.name!r} is longer than {_MAX_EXTENT_M / 1000:.0f} km across: cut it and plan the parts"
            )
        self.look: Observation = observe(
            fleet.camera,
            border,
            max_speed_m_s=min(v.aircraft.max_m_s for v in fleet.vehicles),
            dwell_s=options.dwell_s,
            gsd_m=options.gsd_m,
            floor_agl_m=options.floor_agl_m,
            ceiling_agl_m=options.patrol_ceiling_agl_m,
            margin_m=options.margin_m,
        )
        self.bases = list(dict.fromkeys(v.base for v in fleet.vehicles))
        self.base_xy = {base: self.plane.xy(base.lat_deg, base.lon_deg) for base in self.bases}
        self._check_bases()
        self.line: FlightLine = flight_line(self.border_xy, border.own_side, self.look.lateral_m)
        count = max(2, min(_STATIONS, int(self.line.length_m / _STATION_M) + 1))
        self.stations = np.linspace(0.0, self.line.length_m, count)
        self.station_xy = self.line.at(self.stations)
        wall = shapely.union_all(
            [
                # Half a metre more than the stand-off: rounding of coordinates and of arcs must not eat into it.
                shapely.LineString(self.border_xy).buffer(border.stand_off_m + 0.5, quad_segs=32),
                shapely.LineString(extended(self.border_xy, WALL_M)),
            ]
        )
        roads = Roads(self.line, self.stations, wall)
        self.roads = {base: roads.from_base(xy) for base, xy in self.base_xy.items()}
        # Vehicles stand along the line in the order of their bases.
        at = {base: float(locate(self.line.points, xy).along_m[0]) for base, xy in self.base_xy.items()}
        self.order = sorted(fleet.vehicles, key=lambda v: (at[v.base], v.sysid))
        self.layer = {
            v.sysid: options.layer_agl_m(n, self.look.height_agl_m)
            for n, v in enumerate(sorted(fleet.vehicles, key=lambda v: v.sysid))
        }

    def plan(self) -> PatrolPlan:
        """Share out, build, and where a climb was underestimated share out again with a smaller budget."""
        factor = 1.0
        for _ in range(_TIGHTENINGS):
            costs = self._all_costs(factor)
            if not any(c.reachable.any() for c in costs):
                raise PlanError(self._out_of_reach())
            sorties = self._sorties(share_out(costs))
            worst = max(s.energy_wh / s.vehicle.aircraft.usable_wh for s in sorties)
            if worst <= 1.0:
                break
            factor *= 0.995 / worst
        made = self._finish(sorties)
        violations = check(made)
        if violations:
            raise PlanError(
                f"the plan breaks {len(violations)} of its own rules, and is not given out: {violations[0]}"
            )
        return made

    def _check_bases(self) -> None:
        outline = extended(self.border_xy, WALL_M)
        shape = shapely.linestrings(self.border_xy)
        for base, xy in self.base_xy.items():
            inside = locate(outline, xy).offset_m[0] * self.border.own_side.sign > 0
            if self.border.is_ring:
                ring = shapely.polygons(self.border_xy)
                within = bool(shapely.contains_xy(ring, *xy))
                inside = within == (
                    (self.border.own_side.sign > 0) == shapely.is_ccw(shapely.linearrings(self.border_xy))
                )
            if not inside:
                raise PlanError(
                    f"base {base.name!r} lies on the far side of the border: move it to the side of "
                    f"{self.border.own or 'the own country'}, or correct own_side"
                )
            distance = float(shapely.distance(shape, shapely.points(xy)))
            if distance < self.border.stand_off_m + 1:
                raise PlanError(
                    f"base {base.name!r} is {distance:.0f} m from the border, the stand-off is "
                    f"{self.border.stand_off_m:.0f} m: move it back"
                )

    def _all_costs(self, factor: float) -> list[Costs]:
        made: dict[tuple[object, ...], Costs] = {}
        out = []
        for vehicle in self.order:
            key = (vehicle.aircraft, vehicle.base, self.layer[vehicle.sysid])
            if key not in made:
                made[key] = self._costs(vehicle, factor)
            out.append(made[key])
        return out

    def _costs(self, vehicle: Vehicle, factor: float) -> Costs:
        """Time of every block; infinite where the energy does not last."""
        craft, base, layer = vehicle.aircraft, vehicle.base, self.layer[vehicle.sysid]
        line = self.pilot.waypoints(self.line.points, self.look.height_agl_m)
        legs = self.pilot.legs(LegKind.PATROL, line, craft, self.look.speed_m_s)
        along = np.concatenate([[0.0], np.cumsum([leg.distance_m for leg in legs])])
        along *= self.line.length_m / along[-1]
        time = np.interp(self.stations, along, np.concatenate([[0.0], np.cumsum([leg.duration_s for leg in legs])]))
        energy = np.interp(self.stations, along, np.concatenate([[0.0], np.cumsum([leg.energy_wh for leg in legs])]))

        way_m = self.roads[base][0]
        ground = self.terrain.elevation_m(*self.plane.lat_lon(self.station_xy))
        rise = ground - float(self.terrain.elevation_m(base.lat_deg, base.lon_deg))
        finite = np.where(np.isfinite(way_m), way_m, 0.0)
        out = np.array([leg_effort(craft, d, r, craft.cruise_m_s) for d, r in zip(finite, rise, strict=True)])
        home = np.array([leg_effort(craft, d, -r, craft.cruise_m_s) for d, r in zip(finite, rise, strict=True)])
        step = layer - self.look.height_agl_m
        fixed = np.array(
            [
                leg_effort(craft, 0.0, layer, craft.climb_m_s),
                leg_effort(craft, 0.0, -step, craft.descent_m_s),
                leg_effort(craft, 0.0, step, craft.climb_m_s),
                leg_effort(craft, 0.0, -layer, craft.descent_m_s),
            ]
        ).sum(axis=0)
        sortie_s = fixed[0] + craft.turn_round_s + out[:, None, 0] + home[None, :, 0] + time[None, :] - time[:, None]
        sortie_wh = fixed[1] + out[:, None, 1] + home[None, :, 1] + energy[None, :] - energy[:, None]
        lawful = np.isfinite(way_m)[:, None] & np.isfinite(way_m)[None, :] & (sortie_wh <= craft.usable_wh * factor)
        lawful &= np.triu(np.ones_like(lawful), 1)
        lawful &= self._small_enough()
        return Costs(np.where(lawful, sortie_s, np.inf))

    def _small_enough(self) -> NDArray[np.bool_]:
        """Which blocks have few enough bends for the fence, and few enough vertices for the mission, of one sortie."""
        room = self.look.lateral_m - self.border.stand_off_m / 2
        path = shapely.linestrings(self.line.points)
        allowed = np.ones((len(self.stations), len(self.stations)), dtype=bool)
        for tolerance, most in ((room * FENCE_TOLERANCE, 0.7 * FENCE_VERTICES), (0.0, 0.8 * MAX_ITEMS)):
            bends = shapely.get_coordinates(shapely.simplify(path, tolerance))
            at = shapely.line_locate_point(path, shapely.points(bends))
            passed = np.searchsorted(np.sort(at), self.stations)
            # One step from station to station is always allowed: what is still too much shows when it is compiled.
            allowed &= (passed[None, :] - passed[:, None] <= most) | np.eye(len(self.stations), k=1, dtype=bool)
        return allowed

    def _sorties(self, blocks: list[Block]) -> list[Sortie]:
        starts = {
            v.sysid: n * self.options.launch_interval_s for n, v in enumerate(sorted(self.order, key=lambda v: v.sysid))
        }
        made = []
        for block in blocks:
            vehicle = self.order[block.vehicle]
            legs = self._legs(vehicle, block)
            sortie = Sortie(
                f"{vehicle.name}-sortie-{block.turn + 1}",
                vehicle,
                block.turn + 1,
                float(self.stations[block.start]),
                float(self.stations[block.stop]),
                self.border.own_side.other,
                starts[vehicle.sysid],
                tuple(legs),
            )
            starts[vehicle.sysid] += sortie.duration_s + vehicle.aircraft.turn_round_s
            made.append(sortie)
        return sorted(made, key=lambda s: (s.vehicle.sysid, s.turn))

    def _legs(self, vehicle: Vehicle, block: Block) -> list[Leg]:
        craft, base, layer, pilot = vehicle.aircraft, vehicle.base, self.layer[vehicle.sysid], self.pilot
        ways = self.roads[base][1]
        ground = round(float(self.terrain.elevation_m(base.lat_deg, base.lon_deg)), 3)
        ground_point, above = (Waypoint.above(base.lat_deg, base.lon_deg, h, ground) for h in (0.0, layer))
        out = pilot.waypoints(ways[block.start], layer)
        home = pilot.waypoints(ways[block.stop][::-1], layer)
        out[0], home[-1] = above, above
        patrol = pilot.waypoints(
            self.line.between(float(self.stations[block.start]), float(self.stations[block.stop])),
            self.look.height_agl_m,
        )
        legs = []
        for kind, waypoints, speed in (
            (LegKind.TAKEOFF, [ground_point, above], craft.climb_m_s),
            (LegKind.TRANSIT, [*out, patrol[0]], craft.cruise_m_s),
            (LegKind.PATROL, patrol, self.look.speed_m_s),
            (LegKind.RETURN, [patrol[-1], *home], craft.cruise_m_s),
            (LegKind.LANDING, [above, ground_point], craft.descent_m_s),
        ):
            legs += pilot.legs(kind, waypoints, craft, speed)
        return _joined(legs)

    def _finish(self, sorties: list[Sortie]) -> PatrolPlan:
        edges = self.stations
        middles = (edges[:-1] + edges[1:]) / 2
        flown = np.zeros(len(middles), dtype=bool)
        for sortie in sorties:
            flown |= (middles > sortie.from_m) & (middles < sortie.to_m)
        unreached = [(float(edges[i]), float(edges[i + 1])) for i in np.flatnonzero(~flown)]
        limit = self.fleet.camera.max_gsd_m if self.options.gsd_m is None else self.options.gsd_m
        coverage = cover(
            self.border,
            border_xy=self.border_xy,
            line=self.line,
            sorties=sorties,
            camera=self.fleet.camera,
            observation=self.look,
            terrain=self.terrain,
            plane=self.plane,
            gsd_m=limit,
            unreached=unreached,
        )
        bound = revisit_bound(
            self.fleet.vehicles,
            np.array(list(self.base_xy.values())),
            points_xy=self.line.at(middles[flown]),
            weights_m=np.diff(edges)[flown],
            patrol_m_s=self.look.speed_m_s,
            height_m=self.look.height_agl_m,
        )
        cycles = {v.sysid: 0.0 for v in self.fleet.vehicles}
        for sortie in sorties:
            cycles[sortie.vehicle.sysid] += sortie.duration_s + sortie.vehicle.aircraft.turn_round_s
        lat, lon = self.plane.lat_lon(self.line.points)
        notes = [self.border.note] if self.border.note else []
        notes += [
            f"{v.name} has no work: the line is shared out without it"
            for v in self.fleet.vehicles
            if not cycles[v.sysid]
        ]
        if unreached:
            length = sum(b - a for a, b in unreached)
            notes.append(f"{length / 1000:.1f} km of the flight line are out of reach: they are listed as uncovered")
        return PatrolPlan(
            self.border,
            self.fleet,
            self.options,
            self.look,
            tuple((round(float(a), 7), round(float(o), 7)) for a, o in zip(lat, lon, strict=True)),
            tuple(sorties),
            coverage,
            max(cycles.values()),
            bound,
            tuple(notes),
        )

    def _out_of_reach(self) -> str:
        base: Base = min(self.bases, key=lambda b: float(np.min(self.roads[b][0])))
        nearest = float(np.min(self.roads[base][0]))
        if not np.isfinite(nearest):
            return (
                f"from base {base.name!r} no lawful way leads to the flight line: every one comes within the "
                "stand-off; move the base"
            )
        return (
            f"base {base.name!r} is out of reach: {nearest / 1000:.1f} km to the flight line and back leave no energy "
            "to patrol; move it nearer or take an aircraft with more endurance"
        )


def _joined(legs: list[Leg]) -> list[Leg]:
    """Make every leg begin exactly where the last ended: points that rounding put a hair apart become one."""
    out: list[Leg] = []
    for leg in legs:
        start = out[-1].end if out else leg.start
        out.append(
            leg
            if leg.start == start
            else Leg(leg.kind, start, leg.end, leg.speed_m_s, leg.distance_m, leg.duration_s, leg.energy_wh)
        )
    return out
