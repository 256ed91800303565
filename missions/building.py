"""From a block of the course to a sortie: the way out, the patrol with its detours, the way home."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import NDArray

from geo import Terrain
from missions.border import Side
from missions.course import LONG_EMPTY_M, Course
from missions.estimate import Access
from missions.fleet import Vehicle
from missions.flying import Pilot
from missions.observation import Observation
from missions.options import PlanOptions
from missions.patrol import Leg, LegKind, Waypoint

__all__ = ["Builder"]

Floats = NDArray[np.float64]

_SIDES: dict[int, Side | None] = {0: None, Side.LEFT.sign: Side.LEFT, Side.RIGHT.sign: Side.RIGHT}


@dataclass(frozen=True)
class Builder:
    """Builds the legs of sorties.

    Parameters
    ----------
    course, stations
        What is patrolled, and where blocks may begin and end, metres along it.
    terrain, options
        The ground, the limits.
    """

    course: Course
    stations: Floats
    terrain: Terrain
    options: PlanOptions

    def legs(
        self,
        vehicle: Vehicle,
        access: Access,
        look: Observation,
        *,
        start: int,
        stop: int,
        backward: bool,
        layer_agl_m: float,
    ) -> tuple[Leg, ...]:
        """The legs of a sortie over stations `start` to `stop`, flown from the second to the first if `backward`."""
        craft, base, plane = vehicle.aircraft, vehicle.base, access.region.plane
        pilot = Pilot(plane, self.terrain, self.options.wind)
        ground = round(float(self.terrain.elevation_m(base.lat_deg, base.lon_deg)), 3)
        on_ground, above = (Waypoint.above(base.lat_deg, base.lon_deg, h, ground) for h in (0.0, layer_agl_m))
        first, last = (stop, start) if backward else (start, stop)
        out = pilot.waypoints(access.way(first), layer_agl_m)
        home = pilot.waypoints(access.way(last)[::-1], layer_agl_m)
        out[0], home[-1] = above, above
        made = pilot.legs(LegKind.TAKEOFF, [on_ground, above], craft, craft.climb_m_s)
        pieces = self._pieces(start, stop, backward=backward)
        flown = [
            (side, pilot.waypoints(plane.xy(lat, lon), look.height_agl_m if side or short else layer_agl_m))
            for side, lat, lon, short in pieces
        ]
        for k in range(1, len(flown) - 1):
            if not flown[k][0]:
                # Up to the layer of this sortie, where the piece is long enough, and down again.
                flown[k] = 0, [flown[k - 1][1][-1], *flown[k][1], flown[k + 1][1][0]]
        made += pilot.legs(LegKind.TRANSIT, [*out, flown[0][1][0]], craft, craft.cruise_m_s)
        for side, waypoints in flown:
            kind, speed = (LegKind.PATROL, look.speed_m_s) if side else (LegKind.TRANSIT, craft.cruise_m_s)
            made += pilot.legs(kind, waypoints, craft, speed, _SIDES[side])
        made += pilot.legs(LegKind.RETURN, [flown[-1][1][-1], *home], craft, craft.cruise_m_s)
        made += pilot.legs(LegKind.LANDING, [above, on_ground], craft, craft.descent_m_s)
        made = _joined(made)
        hover = craft.hover_power_w
        made[0] = _longer(made[0], craft.takeoff_s, hover)
        made[-1] = _longer(made[-1], craft.landing_s, hover)
        for k in (0, -1):
            made[k] = _longer(made[k], craft.transition_s, craft.climb_power_w)
        return tuple(made)

    def _pieces(self, start: int, stop: int, *, backward: bool) -> list[tuple[int, Floats, Floats, bool]]:
        """Pieces between two stations, in the order of flight.

        Each with the side that it looks to, 0 for none, and whether it is too short to leave the height of the patrol.
        """
        course = self.course
        low, high = float(self.stations[start]), float(self.stations[stop])
        inner = np.flatnonzero((course.along_m > low + 0.5) & (course.along_m < high - 0.5))
        at = np.concatenate([[low], course.along_m[inner], [high]])
        lat, lon = course.at(at)
        middle = (at[:-1] + at[1:]) / 2
        leg = course.leg_at(middle)
        out = []
        for side, group in groupby(range(len(leg)), key=lambda k: int(course.look[leg[k]])):
            own = list(group)
            cut = slice(own[0], own[-1] + 2)
            out.append((side, lat[cut], lon[cut], bool(at[own[-1] + 1] - at[own[0]] < LONG_EMPTY_M)))
        if backward:
            # Seen from the other end the line lies on the other hand.
            out = [(-side, a[::-1], o[::-1], short) for side, a, o, short in out[::-1]]
        return out


def _longer(leg: Leg, by_s: float, power_w: float) -> Leg:
    """A leg with a procedure on the spot added."""
    if by_s <= 0:
        return leg
    return replace(leg, duration_s=leg.duration_s + by_s, energy_wh=leg.energy_wh + by_s * power_w / 3600)


def _joined(legs: list[Leg]) -> list[Leg]:
    """Make every leg begin exactly where the last ended: points that rounding put a hair apart become one."""
    return legs[:1] + [b if a.end == b.start else replace(b, start=a.end) for a, b in pairwise(legs)]
