"""From points on the ground to legs in the air."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from geo import Terrain
from missions.border import Side
from missions.climbing import circlings
from missions.effort import effort, rises, steep_for
from missions.errors import TooSteepError
from missions.fleet import Aircraft
from missions.headroom import SPARE_M, Heights, eased, levelled, profiled
from missions.laps import Circles, Profile, courses
from missions.plane import Plane
from missions.profile import Between, GroundBelow, straightened
from missions.sortie import Leg, LegKind, Waypoint
from missions.wind import CALM, Wind

__all__ = ["PROFILE_TOLERANCE_M", "Part", "Pilot", "spare_m", "under_m"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_SAME_M = 0.05
"""Points nearer to each other than this are one, metres."""

_ROUNDED_M = 1e-3
_STRAY_M = 0.5
"""By how much a line of heights may be outside its bounds, metres: samples closer together show as much more."""

PROFILE_TOLERANCE_M = 4.0
"""How far the straight pieces may leave the height above ground that was asked for, metres."""

_BESIDE_M = 1.0
"""How far straight pieces may leave bounds that leave no room, metres: the ground between samples is known to that."""


def spare_m(terrain: Terrain) -> float:
    """What heights over a terrain are planned below a ceiling, where there is room, metres; 0 over level ground."""
    return SPARE_M if math.isfinite(terrain.resolution_m) else 0.0


def under_m(ceiling_agl_m: float, floor_agl_m: float, terrain: Terrain) -> float:
    """The greatest height above ground to plan for under a ceiling, metres: with room for straight pieces, if any."""
    return max(ceiling_agl_m - spare_m(terrain), min(floor_agl_m + _BESIDE_M, ceiling_agl_m))


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a way that is flown at one height above ground, where the slopes of the ground allow.

    Parameters
    ----------
    points
        Vertices, metres in a plane, shape (n, 2).
    agl_m
        Height above ground that is wanted, metres.
    bounds_agl_m
        Between which heights above ground it may be flown, metres.
    speed_m_s, patrol
        As `effort` takes them.
    side
        On which side of it wings may circle, 1 left, -1 right, 0 either.
    circle
        Whether it is circles itself: none to climb in begins within it.
    level_m
        For how far from its beginning what took off on the spot goes over to its wings, and climbs not, metres.
    """

    points: Floats
    agl_m: float
    bounds_agl_m: tuple[float, float]
    speed_m_s: float
    patrol: bool = False
    side: int = 0
    circle: bool = False
    level_m: float = 0.0


@dataclass(frozen=True, slots=True)
class Pilot:
    """Makes legs over one terrain, in one plane, for what is to fly below a ceiling, metres above ground."""

    plane: Plane
    terrain: Terrain
    wind: Wind = CALM
    ceiling_agl_m: float = math.inf

    def waypoints(
        self, points: Floats, agl_m: float, bounds_agl_m: tuple[float, float] = (-math.inf, math.inf)
    ) -> list[Waypoint]:
        """Waypoints at one height above ground through points of the plane, with more where the ground needs them."""
        floor, ceiling = bounds_agl_m
        dense = self._profiled(points, max(agl_m - floor, _BESIDE_M), max(ceiling - agl_m, _BESIDE_M))
        lat, lon = self.plane.lat_lon(dense)
        ground = self.terrain.elevation_m(lat, lon)
        return [
            Waypoint.above(round(float(a), 7), round(float(o), 7), agl_m, round(float(g), 3))
            for a, o, g in zip(lat, lon, ground, strict=True)
        ]

    def sloped(self, aircraft: Aircraft) -> bool:
        """Whether it comes to its heights on its way, over ground that is not level: wings, but not on the spot."""
        return aircraft.has_wings and math.isfinite(self.terrain.resolution_m)

    def flown(
        self, parts: Sequence[Part], aircraft: Aircraft, start: Waypoint | None = None, stop: Waypoint | None = None
    ) -> list[list[Waypoint]]:
        """Waypoints of the parts of a way, each of which begins where the one before ends.

        Rotors climb and descend as steeply as the ground, and on the spot where parts differ in height. Wings cannot:
        they have one line of heights for the whole way, with slopes that they can fly.

        Parameters
        ----------
        parts
            The parts, in the order of flight.
        aircraft
            What flies.
        start, stop
            Where the first part begins and the last one ends, in the place of their own first and last waypoint.

        Raises
        ------
        TooSteepError
            When wings cannot keep within the bounds; the message names aircraft, fields and place.
        """
        if self.sloped(aircraft):
            made = self._followed(parts, aircraft, start, stop)
        else:
            made = [self.waypoints(part.points, part.agl_m, part.bounds_agl_m) for part in parts]
        if start is not None:
            made[0][0] = start
        if stop is not None:
            made[-1][-1] = stop
        return made

    def circled(
        self,
        parts: Sequence[Part],
        aircraft: Aircraft,
        start: Waypoint | None,
        stop: Waypoint | None,
        clear: Callable[[Floats], bool],
    ) -> list[list[Part]]:
        """What each of the parts of a way is flown in, so that wings come over ground that is too steep for them.

        Where they circle first that is more than the part itself: a part of it up to there, the circles, the rest.

        Parameters
        ----------
        parts, aircraft, start, stop
            As `flown` takes them; it says whether what is returned can be flown.
        clear
            Whether a way, metres in the plane, shape (n, 2), touches nothing that is shut.
        """
        way, ends, profile = self._over(parts, aircraft, start, stop)
        points = way.at(np.arange(len(way.along_m)))
        sides, open_ = np.zeros(len(points), dtype=np.int64), np.ones(len(points), dtype=bool)
        for part, (a, b) in zip(parts, ends, strict=True):
            sides[a:b] = part.side
            open_[a:b] = not part.circle
            open_[a:b] &= way.along_m[a:b] - way.along_m[a] >= part.level_m

        def may(sample: int, lap: Floats) -> bool:
            return bool(open_[sample]) and clear(points[sample] + lap)

        circles = Circles(aircraft, self.wind, sides, self._beside(points), may)
        found = circlings(profile, circles) or []
        course = courses(profile.steps)[0]
        out = []
        for part, (a, b) in zip(parts, ends, strict=True):
            vertices = way.vertex[(way.vertex >= a) & (way.vertex <= b)]
            made: list[Part] = []
            last, rest = a, replace(part, level_m=0.0)
            for sample, side, laps in found:
                if a <= sample < b:
                    lap = points[sample] + circles.lap(course[[sample]], np.array([side]))[0]
                    ring = np.concatenate([lap[:1], *[lap[1:]] * laps])
                    made += self._between(rest if made else part, points, vertices, last, sample)
                    made.append(replace(rest, points=ring, speed_m_s=aircraft.cruise_m_s, patrol=False, circle=True))
                    last = sample
            out.append([*made, *self._between(rest, points, vertices, last, b)] if made else [part])
        return out

    def _beside(self, points: Floats) -> Callable[[Ints, Floats], Floats]:
        """The ground beside samples of a way, as `Circles` have it."""

        def ground(samples: Ints, offsets: Floats) -> Floats:
            return self.terrain.known_elevation_m(*self.plane.lat_lon(points[samples][:, None] + offsets))

        return ground

    @staticmethod
    def _between(part: Part, points: Floats, vertices: Ints, first: int, last: int) -> list[Part]:
        """What of a part lies between two samples of its way, if anything does."""
        if first == last:
            return []
        inner = vertices[(vertices > first) & (vertices < last)]
        return [replace(part, points=points[[first, *inner.tolist(), last]])]

    def _over(
        self, parts: Sequence[Part], aircraft: Aircraft, start: Waypoint | None, stop: Waypoint | None
    ) -> tuple[GroundBelow, list[tuple[int, int]], Profile]:
        """The ground below parts, the samples that each begins and ends at, and the heights that bound it."""
        way = GroundBelow.along(np.concatenate([part.points for part in parts]), self.plane, self.terrain)
        count = len(way.along_m)
        first = np.cumsum([0, *(len(part.points) for part in parts)])
        ends = [(int(way.vertex[a]), int(way.vertex[b - 1])) for a, b in pairwise(first)]
        floor, high, wanted = np.full(count, -np.inf), np.full(count, np.inf), np.zeros(count)
        slopes, sunk = np.zeros((4, count - 1)), np.zeros(count)
        points = way.at(np.arange(count))
        steps = np.diff(points, axis=0)
        for part, (a, b) in zip(parts, ends, strict=True):
            own, pieces = slice(a, b + 1), slice(a, b)
            floor[own] = np.maximum(floor[own], part.bounds_agl_m[0])
            high[own] = np.minimum(high[own], part.bounds_agl_m[1])
            wanted[own] = part.agl_m
            free = np.array(rises(aircraft, steps[pieces], part.speed_m_s, self.wind, patrol=part.patrol))
            slopes[:, pieces], sunk[own] = levelled(steps[pieces], free, part.level_m)
        begin, end = (None if at is None else at.amsl_m - float(way.ground_m[k]) for at, k in ((start, 0), (stop, -1)))
        bounds = Heights(floor, high, wanted, begin, end, sunk, self.ceiling_agl_m)
        by = aircraft, self.wind
        return way, ends, profiled(steps, way.ground_m, slopes, bounds, by=by, beside=self._beside(points))

    def _followed(
        self, parts: Sequence[Part], aircraft: Aircraft, start: Waypoint | None, stop: Waypoint | None
    ) -> list[list[Waypoint]]:
        way, ends, profile = self._over(parts, aircraft, start, stop)
        profile, found = eased(profile, aircraft)
        low, high = profile.low_m, profile.high_m
        # A given end is where it is, to the millimetre that heights are rounded to.
        over = found.over_m - np.where(low == high, _ROUNDED_M, _STRAY_M)
        if float(over.max()) > 0:
            worst = int(np.argmax(over))
            lat, lon = self.plane.lat_lon(way.at(np.array([worst])))
            message = (
                f"at {float(lat[0]):.5f}, {float(lon[0]):.5f} the ground is too steep: {steep_for(aircraft)} does not "
                f"stay between {profile.floor_m[worst]:.0f} and {high[worst]:.0f} m above it, as "
                "floor_agl_m, patrol_ceiling_agl_m and ceiling_agl_m ask; raise the ceiling, lower the floor, "
                "or send rotors"
            )
            raise TooSteepError(message, float(lat[0]), float(lon[0]))
        bounds = Between(*(way.ground_m + agl_m for agl_m in (low, high, profile.floor_m, profile.ceiling_m)))
        kept = np.unique(straightened(way, found.height_m, bounds, tolerance_m=PROFILE_TOLERANCE_M))
        lat, lon = self.plane.lat_lon(way.at(kept))
        made = [
            Waypoint.above(round(float(a), 7), round(float(o), 7), round(float(h - g), 3), round(float(g), 3))
            for a, o, h, g in zip(lat, lon, found.height_m[kept], way.ground_m[kept], strict=True)
        ]
        which = [np.searchsorted(kept, end) for end in ends]
        return [made[a : b + 1] for a, b in which]

    def legs(
        self,
        kind: LegKind,
        waypoints: list[Waypoint],
        aircraft: Aircraft,
        speed_m_s: float,
        look: Side | None = None,
    ) -> list[Leg]:
        """Legs through waypoints: at a ground speed on patrol, looking to one side, else at an airspeed."""
        xy = self.plane.xy([w.lat_deg for w in waypoints], [w.lon_deg for w in waypoints])
        rise = np.diff([w.amsl_m for w in waypoints])
        step = np.diff(xy, axis=0)
        length = np.hypot(*step.T)
        kept = np.flatnonzero((length >= _SAME_M) | (np.abs(rise) >= _SAME_M))
        vertical = length[kept] < _SAME_M
        step = np.where(vertical[:, None], 0.0, step[kept])
        heights = np.array([w.amsl_m for w in waypoints])
        middle = (heights[kept] + heights[kept + 1]) / 2
        patrol = kind is LegKind.PATROL
        time, energy = effort(
            aircraft, step, rise[kept], speed_m_s=speed_m_s, wind=self.wind, patrol=patrol, amsl_m=middle
        )
        return [
            Leg(
                kind,
                waypoints[k],
                waypoints[k + 1],
                float(abs(rise[k]) / t if up else length[k] / t),
                float(length[k]),
                float(t),
                float(e),
                look,
            )
            for k, up, t, e in zip(kept.tolist(), vertical.tolist(), time.tolist(), energy.tolist(), strict=True)
        ]

    def _profiled(self, points: Floats, below_m: float, above_m: float) -> Floats:
        """The points, and between them those that straight pieces need, `below_m` and `above_m` the ground at most."""
        if math.isinf(self.terrain.resolution_m) or len(points) < 2:
            return points
        way = GroundBelow.along(points, self.plane, self.terrain)
        bounds = Between(way.ground_m - below_m, way.ground_m + above_m, way.ground_m - below_m)
        return way.at(straightened(way, way.ground_m, bounds, tolerance_m=PROFILE_TOLERANCE_M))
