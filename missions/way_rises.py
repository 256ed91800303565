"""What ways and courses rise and fall as they are flown over the ground, before any sortie is built."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from geo import Terrain
from missions.climbing import Flown, flown_over
from missions.effort import leg_effort, rises
from missions.fleet import Aircraft
from missions.flying import PROFILE_TOLERANCE_M
from missions.headroom import Heights, level_m, levelled, profiled
from missions.laps import Circles
from missions.observation import Observation
from missions.options import PlanOptions
from missions.plane import Plane
from missions.profile import needed
from missions.wind import Wind

__all__ = [
    "UNFLYABLE",
    "GroundNear",
    "KeptWays",
    "circles_beside",
    "course_followed",
    "ways_followed",
    "ways_straightened",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_DEGREE_M = 111_200.0
"""Of latitude, metres."""

UNFLYABLE = 1e7
"""Seconds and watt hours that stand for a piece that cannot be flown: more than any aircraft has."""

_WALL_M = 100 * UNFLYABLE
"""A climb that takes more than that."""


KeptWays = dict[Hashable, dict[tuple[bytes, ...], tuple[Floats, Floats]]]
"""Rises of ways over one ground, and what their circles take, by how and where they are flown: see `GroundNear`."""


@dataclass(frozen=True, slots=True)
class GroundNear:
    """The ground near ways in a plane.

    Parameters
    ----------
    begins
        Where each way begins, metres in the plane, shape (m, 2).
    plane, terrain
        Which plane, and which ground.
    clear
        Whether a way in the plane touches nothing that is shut.
    about
        What else is the same wherever a way is flown in the same manner: what is shut there.
    kept
        Ways that were found before, by all that they depend on; those that are asked for are added.
    """

    begins: Floats
    plane: Plane
    terrain: Terrain
    clear: Callable[[Floats], bool]
    about: Hashable = None
    kept: KeptWays = field(default_factory=dict)

    def circles(self, number: int, steps: Floats, aircraft: Aircraft, wind: Wind) -> Circles:
        """Circles beside the way of a number, on either side; the ground at its beginning is 0."""
        points = self.begins[number] + np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])
        base_m = self._known(points[:1])

        def ground(samples: Ints, offsets: Floats) -> Floats:
            return self._known(points[samples, None] + offsets) - base_m

        sides = np.zeros(len(points), dtype=np.int64)
        return Circles(aircraft, wind, sides, ground, lambda sample, lap: self.clear(points[sample] + lap))

    def _known(self, places: Floats) -> Floats:
        return self.terrain.known_elevation_m(*self.plane.lat_lon(places))


def ways_followed(
    steps: Floats,
    rises_m: Floats,
    first: Ints,
    aircraft: Aircraft,
    near: GroundNear,
    *,
    layers_agl_m: tuple[float, float | None],
    options: PlanOptions,
    home: bool,
) -> tuple[Floats, Floats]:
    """Rises of ways as wings fly them, more than any battery lifts where they cannot, and what their circles take.

    That is seconds and watt hours for each piece, shape (2, n). `layers_agl_m` are heights above ground: the one that
    is wanted, and the one at which ways out begin and ways home end, None for what climbs on the spot.
    """
    layer_agl_m, fixed = layers_agl_m
    out, more = rises_m.copy(), np.zeros((2, len(steps)))
    slopes = np.array(rises(aircraft, steps, aircraft.cruise_m_s, options.wind, patrol=False))
    # What an aircraft has of energy and time on the ground says nothing of how it flies.
    alike = replace(aircraft, battery_wh=1e6, reserve_fraction=0.0, turn_round_s=0.0)
    heights = options.floor_agl_m, options.patrol_ceiling_agl_m, options.ceiling_agl_m, *layers_agl_m
    kept = near.kept.setdefault((near.about, alike, options.wind, heights, home), {})
    for number, (a, b) in enumerate(pairwise([*first.tolist(), len(steps)])):
        key = near.begins[number].tobytes(), steps[a:b].tobytes(), rises_m[a:b].tobytes()
        if key in kept:
            out[a:b], more[:, a:b] = kept[key]
            continue
        ground = np.concatenate([[0.0], np.cumsum(rises_m[a:b])])
        high = np.full(len(ground), options.ceiling_agl_m)
        high[0 if home else -1] = options.patrol_ceiling_agl_m
        # What climbs on the spot does so as high as its way asks.
        begin, end = (None, fixed) if home else (fixed, None)
        own, sunk = levelled(steps[a:b], slopes[:, a:b], 0.0 if home else level_m(aircraft, options.wind))
        bounds = Heights(options.floor_agl_m, high, layer_agl_m, begin, end, sunk, options.ceiling_agl_m)
        circles = near.circles(number, steps[a:b], aircraft, options.wind)
        by = (aircraft, options.wind)
        way = profiled(steps[a:b], ground, own, bounds, by=by, beside=circles.ground)
        found = flown_over(way, circles, whole=True)
        out[a:b] = _WALL_M if found.blocked.any() else found.rise_m
        more[:, a:b] = found.more
        if fixed is None:
            up_m = layer_agl_m + ground[-1] - found.ends_m[1] if home else found.ends_m[0] - layer_agl_m
            more[:, b - 1 if home else a] += leg_effort(aircraft, 0.0, up_m, aircraft.climb_m_s, options.wind)
        kept[key] = out[a:b].copy(), more[:, a:b].copy()
    return out, more


def course_followed(
    steps: Floats, ground_m: Floats, patrol: Bools, circles: Circles, *, look: Observation, options: PlanOptions
) -> Flown:
    """A course as wings fly it, all in the order of flight.

    Parameters
    ----------
    steps, ground_m
        Pieces between samples, metres, shape (n - 1, 2), and elevations at samples, shape (n,).
    patrol
        Which of the pieces are watched, shape (n - 1,).
    circles
        Where and how wings may circle beside it.
    look
        At what height above ground, and how fast, it is patrolled.
    options
        Floor, ceilings and wind.
    """
    craft = circles.aircraft
    slopes, high = np.zeros((4, len(steps))), np.full(len(ground_m), options.ceiling_agl_m)
    for mask, speed_m_s in ((patrol, look.speed_m_s), (~patrol, craft.cruise_m_s)):
        slopes[:, mask] = rises(craft, steps[mask], speed_m_s, options.wind, patrol=mask is patrol)
    ends = np.flatnonzero(patrol)
    high[ends] = high[ends + 1] = options.patrol_ceiling_agl_m
    bounds = Heights(options.floor_agl_m, high, look.height_agl_m, flown_m=options.ceiling_agl_m)
    by = (craft, options.wind)
    return flown_over(profiled(steps, ground_m, slopes, bounds, by=by, beside=circles.ground), circles)


def circles_beside(lat: Floats, lon: Floats, sides: Ints, terrain: Terrain, *, by: tuple[Aircraft, Wind]) -> Circles:
    """Circles beside a course, given at samples in degrees, on the side of each of its pieces: 1 left, -1 right.

    `by` says who flies them, in what wind.

    Zones that lie there are left to whoever builds a sortie.
    """

    def ground(samples: Ints, offsets: Floats) -> Floats:
        at = lat[samples, None]
        east = offsets[..., 0] / (_DEGREE_M * np.cos(np.radians(at)))
        return terrain.known_elevation_m(at + offsets[..., 1] / _DEGREE_M, lon[samples, None] + east)

    return Circles(*by, np.append(sides, 0), ground, lambda _, __: True)


def ways_straightened(steps: Floats, rises_m: Floats, first: Ints) -> Floats:
    """Rises of ways as rotors fly them: straight from waypoint to waypoint over what is less than the tolerance."""
    out = rises_m.copy()
    for a, b in pairwise([*first.tolist(), len(steps)]):
        at = np.concatenate([[0.0], np.cumsum(np.hypot(*steps[a:b].T))])
        ground = np.concatenate([[0.0], np.cumsum(rises_m[a:b])])
        kept = needed(at, ground, PROFILE_TOLERANCE_M)
        out[a:b] = np.diff(np.interp(at, at[kept], ground[kept]))
    return out
