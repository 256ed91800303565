"""Where wings leave the ground and come back to it: a straight climb-out and a straight final over their base.

Wings cannot climb on the spot. They climb straight ahead from the base, and come back along the same line from the
other end: level for a while, so that they are established on it, then down a slope to the base. The line is that of the
runway, one way or the other; where a base has none, any direction may serve that nothing shuts and that the wind
allows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geo import Terrain
from missions.course import Course
from missions.errors import PlanError
from missions.fleet import Aircraft, Base
from missions.headroom import late_m, late_up_m
from missions.plane import Plane
from missions.surroundings import Region, Surroundings, rough_distance_m
from missions.wind import Wind

__all__ = ["Runway", "approach_m", "find_runway", "runway_of"]

Floats = NDArray[np.float64]

_STEP_DEG = 10.0
_TAIL_M_S = 2.5
"""Most wind from behind at take-off and landing, metres a second: 5 knots, as flight manuals of light aircraft have."""

_HEADWIND_STEP_M_S = 2.0
"""Directions whose headwinds differ by less than about this are equally good, metres a second."""

_LONGEST_M = 5000.0
_SPARE = 1.1
"""How much longer the climb-out is than the rate of climb needs, and how much less steep the final than that of descent
allows."""

_LEVEL_RADII = 2.0
_LEAST_LEVEL_M = 100.0
_CLEARANCE = 0.5
"""Share of the height above the base that is kept above the ground below, on the climb-out and on final."""

_ROUGH_M = 2.0
"""What the ground beside a runway may differ from this, metres: models of the ground are no better."""

_ABOVE_M = 0.5
"""What the line of a runway may be above a ceiling between its samples, metres."""

_PER_CELL, _STEPS_M = 16, (1.0, 20.0)
"""Samples of a line to a cell of the model of the ground, and how near to each other they are at least and at most,
metres: between two of them no corner of the ground is higher by more than a little, however rough it is."""

_RISE_S, _RINGS, _RING_DEG = 10.0, 4, 30.0
"""A way that climbs on from where the climb-out ends is flown late at once: for how long, seconds, the ground about
there is looked at for one, on how many rings, and how far apart on each, degrees."""


@dataclass(frozen=True, slots=True)
class Runway:
    """A line over a base, flown one way; places are metres east and north of the base.

    Parameters
    ----------
    heading_deg
        Direction of take-off and of landing, degrees from true north.
    climbed
        Where the climb-out ends, shape (2,).
    established
        Where the landing sequence begins: from here on wings fly along the line, shape (2,).
    final
        Where they leave their height and go down to the base, shape (2,).
    climbed_agl_m
        Height above ground at which the climb-out ends, metres.
    """

    heading_deg: float
    climbed: Floats
    established: Floats
    final: Floats
    climbed_agl_m: float

    @property
    def course(self) -> Floats:
        """Direction of flight, a unit vector, shape (2,)."""
        return _unit(self.heading_deg)


def runway_of(
    base: Base,
    aircraft: Aircraft,
    around: Surroundings,
    course: Course,
    terrain: Terrain,
    *,
    wind: Wind,
    layers_agl_m: tuple[float, float],
    bounds_agl_m: tuple[float, float] = (0.0, math.inf),
) -> Runway | None:
    """The line of an aircraft that patrols a course from a base; None for one that lands on the spot.

    Raises as `find_runway` does.
    """
    if not aircraft.needs_runway:
        return None
    nearest = int(np.argmin(rough_distance_m(base.lat_deg, base.lon_deg, course.lat_deg, course.lon_deg)))
    towards = float(course.lat_deg[nearest]), float(course.lon_deg[nearest])
    return find_runway(
        base,
        aircraft,
        around,
        terrain,
        wind=wind,
        layers_agl_m=layers_agl_m,
        towards=towards,
        bounds_agl_m=bounds_agl_m,
    )


def find_runway(
    base: Base,
    aircraft: Aircraft,
    around: Surroundings,
    terrain: Terrain,
    *,
    wind: Wind,
    layers_agl_m: tuple[float, float],
    towards: tuple[float, float],
    bounds_agl_m: tuple[float, float] = (0.0, math.inf),
) -> Runway:
    """The line that wings take off and land along: into the wind, clear of all that is shut and of the ground.

    A line with room for a full circle beside both of its ends goes first: wings come on to it and leave it from and to
    anywhere.

    Parameters
    ----------
    base, aircraft
        From where, and what.
    around, terrain
        Border and airspace, and the ground.
    wind
        The wind.
    layers_agl_m
        Heights above ground at which the climb-out ends at least, and at which the landing begins, metres.
    towards
        Latitude and longitude of where most of the flying is, degrees: of equally good lines the shortest way wins.
    bounds_agl_m
        Least and greatest height above ground of ways, metres: ground that rises where a climb-out ends asks for a
        higher one, and valleys beside the base may be too deep for a line.

    Raises
    ------
    PlanError
        When no line will do; the message says what shuts them.
    """
    plane = Plane.at(base.lat_deg, base.lon_deg)
    region = around.region(base.lat_deg, base.lon_deg, 2 * _LONGEST_M)
    headings = (
        np.arange(0.0, 360.0, _STEP_DEG)
        if base.runway_deg is None
        else np.array([base.runway_deg, (base.runway_deg + 180.0) % 360.0])
    )
    shut: dict[str, int] = {}
    found: list[tuple[tuple[float, ...], Runway]] = []
    aim = plane.xy(*towards)
    for heading in headings.tolist():
        head_m_s = float(-_unit(heading) @ wind.vector)
        line = _line(heading, aircraft, plane, terrain, wind=wind, layers_agl_m=layers_agl_m, bounds_agl_m=bounds_agl_m)
        if head_m_s < -_TAIL_M_S:
            problem = "by the wind from behind"
        elif line is None or not _above_ground(
            line, plane, terrain, (aircraft, wind), home_agl_m=layers_agl_m[1], ceiling_agl_m=bounds_agl_m[1]
        ):
            problem = "by the ground"
        elif not _clear(line, region, 2 * aircraft.turn_radius_in(wind)):
            problem = "by the stand-off or a zone"
        else:
            away_m = float(np.hypot(*(line.climbed - aim)) + np.hypot(*(line.established - aim)))
            tight = not _room_to_turn(line, region, aircraft.turn_radius_in(wind))
            found.append(((tight, -round(head_m_s / _HEADWIND_STEP_M_S), round(away_m), heading), line))
            continue
        shut[problem] = shut.get(problem, 0) + 1
    if found:
        return min(found, key=lambda one: one[0])[1]
    ways = f"both ways along runway_deg {base.runway_deg:g}" if base.runway_deg is not None else "all directions"
    why = ", ".join(f"{count} {problem}" for problem, count in shut.items())
    raise PlanError(
        f"base {base.name!r} has no straight line for {aircraft.kind!r} to climb out and land along: {ways} are shut "
        f"({why}): move the base, give it another runway_deg, plan lower, or send an aircraft with rotors"
    )


def _unit(heading_deg: float) -> Floats:
    angle = np.radians(heading_deg)
    return np.array([np.sin(angle), np.cos(angle)])


def _line(
    heading_deg: float,
    aircraft: Aircraft,
    plane: Plane,
    terrain: Terrain,
    *,
    wind: Wind,
    layers_agl_m: tuple[float, float],
    bounds_agl_m: tuple[float, float],
) -> Runway | None:
    """The line in one direction; None where the ground rises so that it would be too long."""
    course = _unit(heading_deg)
    # In less headwind than planned it is flown as well.
    cruise = aircraft.true_m_s(aircraft.cruise_m_s, wind)
    speed = max(float(wind.ground_speed(course[None], cruise)[0]), cruise)
    climb = aircraft.climb_m_s / speed / _SPARE
    slope = _slope(aircraft, speed)
    # Over its run it does not climb yet, and a climb is flown late.
    level_m = aircraft.takeoff_s * cruise / 2 + late_m(aircraft, wind)
    out_agl_m, home_agl_m = layers_agl_m
    out = _reach(course, climb, out_agl_m, plane, terrain, level_m=level_m)
    back = _reach(-course, slope, home_agl_m, plane, terrain)
    if out is None or back is None:
        return None
    rise_m = _rise_m(out * course, _RISE_S * (cruise + wind.speed_m_s), plane, terrain)
    higher_m = min(bounds_agl_m[0] + min(late_up_m(aircraft), rise_m), bounds_agl_m[1])
    if higher_m > out_agl_m:
        out_agl_m, out = higher_m, _reach(course, climb, higher_m, plane, terrain, level_m=level_m)
        if out is None:
            return None
    level = _level_m(aircraft, wind)
    return Runway(heading_deg, out * course, -(back + level) * course, -back * course, out_agl_m)


def _rise_m(place: Floats, around_m: float, plane: Plane, terrain: Terrain) -> float:
    """How much higher than at a place the ground is within so far of it, at most, metres."""
    ring = [_unit(angle) for angle in np.arange(0.0, 360.0, _RING_DEG).tolist()]
    disc = place + around_m * np.linspace(0.0, 1.0, _RINGS + 1)[:, None, None] * np.stack(ring)
    ground = np.asarray(terrain.known_elevation_m(*plane.lat_lon(disc)), dtype=float)
    return float(np.fmax.reduce(ground, axis=None) - ground[0, 0])


def approach_m(aircraft: Aircraft, wind: Wind, above_base_m: float) -> float:
    """Length of a landing from a height over level ground, metres."""
    ground_m_s = aircraft.true_m_s(aircraft.cruise_m_s, wind) + wind.speed_m_s
    return _level_m(aircraft, wind) + above_base_m / _slope(aircraft, ground_m_s)


def _level_m(aircraft: Aircraft, wind: Wind) -> float:
    return max(_LEVEL_RADII * aircraft.turn_radius_in(wind), _LEAST_LEVEL_M)


def _slope(aircraft: Aircraft, ground_m_s: float) -> float:
    """Height lost on final over the way, at a ground speed."""
    return min(math.tan(math.radians(aircraft.approach_deg)), aircraft.descent_m_s / ground_m_s / _SPARE)


def _samples(length_m: float, terrain: Terrain) -> int:
    """At how many places a line of a length is looked at, its ends among them."""
    return max(2, 1 + math.ceil(length_m / float(np.clip(terrain.resolution_m / _PER_CELL, *_STEPS_M))))


def _reach(
    course: Floats, gradient: float, layer_agl_m: float, plane: Plane, terrain: Terrain, *, level_m: float = 0.0
) -> float | None:
    """How far from the base a gradient from its ground, or from so far on, meets a height above the ground, metres."""
    away = np.linspace(0.0, _LONGEST_M, _samples(_LONGEST_M, terrain))
    ground = np.asarray(terrain.known_elevation_m(*plane.lat_lon(away[:, None] * course)), dtype=float)
    above = (away - level_m) * gradient - (ground - ground[0]) - layer_agl_m
    first = int(np.argmax(above >= 0))
    if not above[first] >= 0 or first == 0 or np.isnan(above[first - 1]):
        return None
    low, high = above[first - 1], above[first]
    return float(away[first - 1] - low / (high - low) * (away[first] - away[first - 1]))


def _above_ground(
    line: Runway,
    plane: Plane,
    terrain: Terrain,
    flown: tuple[Aircraft, Wind],
    *,
    home_agl_m: float,
    ceiling_agl_m: float,
) -> bool:
    """Whether climb-out, final and the way before it keep their heights above the ground, and can be flown."""
    out_m, home_m = line.climbed_agl_m, home_agl_m

    def ground(at: Floats) -> Floats:
        return np.asarray(terrain.known_elevation_m(*plane.lat_lon(at)), dtype=float)

    base, climbed, final, established = ground(np.stack([np.zeros(2), line.climbed, line.final, line.established]))
    ends = (
        (np.zeros(2), line.climbed, 0.0, climbed + out_m - base),
        (np.zeros(2), line.final, 0.0, final + home_m - base),
        (line.final, line.established, final + home_m - base, established + home_m - base),
    )
    for start, end, low, high in ends:
        share = np.linspace(0.0, 1.0, _samples(float(np.hypot(*(end - start))), terrain))
        height = low + share * (high - low)
        above = height + base - ground(start + share[:, None] * (end - start))
        # Nor is it flown over ground that is not known, of which no comparison holds.
        if not np.all((above >= _CLEARANCE * height - _ROUGH_M) & (above <= ceiling_agl_m + _ABOVE_M)):
            return False
    aircraft, wind = flown
    level_m = float(np.hypot(*(line.final - line.established)))
    # Between the layer above one place and above the other it climbs or descends with the ground.
    cruise = aircraft.true_m_s(aircraft.cruise_m_s, wind)
    level_s = level_m / max(float(wind.ground_speed(line.course[None], cruise)[0]), cruise)
    return bool(
        -aircraft.descent_m_s * level_s / _SPARE <= final - established <= aircraft.climb_m_s * level_s / _SPARE
    )


def _clear(line: Runway, region: Region, beyond_m: float) -> bool:
    """Whether nothing shuts the line, nor what lies beyond its ends as far as a turn goes."""
    ends = line.established - beyond_m * line.course, line.climbed + beyond_m * line.course
    way = shapely.linestrings(np.stack(ends))
    return not any(shapely.intersects(shape, way) for shape in region.obstacles)


def _room_to_turn(line: Runway, region: Region, radius_m: float) -> bool:
    """Whether beside either end of the line, left or right, nothing shuts a full turn."""
    aside = radius_m * np.array([-line.course[1], line.course[0]])
    circles = [
        shapely.buffer(shapely.points(end + hand * aside), radius_m)
        for end in (line.established, line.climbed)
        for hand in (1, -1)
    ]
    shut = [any(shapely.intersects(shape, circle) for shape in region.obstacles) for circle in circles]
    return not (shut[0] and shut[1]) and not (shut[2] and shut[3])
