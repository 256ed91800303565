"""How wings come back to their mission: to an item, round the bend there, and on to the line of the plan.

A plan knows how its own bends are flown. Whoever comes to one from elsewhere turns by another angle, and far beside
the line. So the flight is followed until it is on the line again, in every way that an autopilot may fly it: with turns
as wide as its circles and half as wide, lines that are met early or late, corners that are begun before the place or
at it.

References
----------
Lines are met as by S. Park, J. Deyst, J. How, A New Nonlinear Guidance Logic for Trajectory Tracking, AIAA 2004-4900:
a point on the line ahead is aimed at, at 45 degrees to it at most; that is what ArduPlane and PX4 do. That corners are
begun before them, by more the sharper they are, is ArduPlane's turn distance.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from pymavlink.dialects.v20 import ardupilotmega as mav
from shapely import LineString, MultiLineString

from autopilot.dialect import LOCATED, RELATIVE_FRAMES
from autopilot.errors import PlaceError
from missions import MissionItem

__all__ = ["LANDS", "Ahead", "Motion", "Rejoining", "rejoined", "ways_ahead"]

Floats = NDArray[np.float64]
Point = tuple[float, float]

_STEP = 0.08  # radii
_TURNS = 0.5, 1.15  # of the radius: wings roll into a turn first
_AIMS = 0.7, 1.4  # radii ahead on a line that are aimed at; 1.4 are 81 m, as ArduPlane has it by itself at 20 m/s
_EARLY = 1.25  # radii before a right angle that it is begun at most
_CAPTURE_SINE = math.sqrt(0.5)
_COURSES = 12  # that are tried where none is known
_SLOW_M_S = 1.0
_GRAVITY_M_S2 = 9.80665
_MOST_BANK_DEG = 60.0
_ON_LINE, _ALONG_RAD = 0.1, math.radians(10.0)  # radii beside a line, and off its course
_SETTLES = 30.0  # radii of flight within which it has to be on a line
_BEND = 0.5  # radii that a plan keeps for what is flown off a bend


_MOST_WAYS = 8
LANDS = frozenset({mav.MAV_CMD_NAV_LAND, mav.MAV_CMD_NAV_VTOL_LAND, mav.MAV_CMD_NAV_RETURN_TO_LAUNCH})
"""Commands at which a mission ends."""

_PASSED = frozenset(
    {
        mav.MAV_CMD_NAV_WAYPOINT,
        mav.MAV_CMD_NAV_SPLINE_WAYPOINT,
        mav.MAV_CMD_NAV_TAKEOFF,
        mav.MAV_CMD_NAV_VTOL_TAKEOFF,
    }
)
_RADIUS = MappingProxyType({mav.MAV_CMD_NAV_LOITER_TO_ALT: "p2"})
"""Where the circle of a loiter item is; else in its third parameter."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """Where a mission leads from one of its places on.

    Parameters
    ----------
    places
        Latitude and longitude of one place after another, degrees, up to the first at which it lands or circles.
    circles, circle_m
        Whether it circles at the last, and on what radius, metres; 0 for its own.
    highest_m
        Height above home of the highest of them, metres, of those whose frame says it; minus infinity for none.
    """

    places: tuple[Point, ...]
    circles: bool
    circle_m: float
    highest_m: float = -math.inf


def ways_ahead(items: Sequence[MissionItem], seq: int) -> list[Ahead]:
    """Where a mission may lead from an item on; at a jump both on and to its goal.

    Raises
    ------
    PlaceError
        Where jumps make too many ways to look at.
    """
    found = list(islice(_ways(items, seq, Ahead((), circles=False, circle_m=0.0), frozenset()), _MOST_WAYS + 1))
    if len(found) > _MOST_WAYS:
        raise PlaceError(f"from item {seq} on its jumps lead more than {_MOST_WAYS} ways: return home")
    return found


def _ways(items: Sequence[MissionItem], seq: int, way: Ahead, jumped: frozenset[int]) -> Iterator[Ahead]:
    for item in items[seq:]:
        if item.command == mav.MAV_CMD_DO_JUMP and item.seq not in jumped:
            jumped |= {item.seq}
            if 0 <= item.p1 < len(items):
                yield from _ways(items, int(item.p1), way, jumped)
            continue
        if item.command in LOCATED and item.command < mav.MAV_CMD_NAV_LAST and (item.x or item.y):
            above_m = item.z if item.frame in RELATIVE_FRAMES else -math.inf
            places = (*way.places, (item.x / 1e7, item.y / 1e7))
            way = replace(way, places=places, highest_m=max(way.highest_m, above_m))
            if item.command not in _PASSED and item.command not in LANDS:
                radius_m = abs(getattr(item, _RADIUS.get(item.command, "p3")))
                yield replace(way, circles=True, circle_m=radius_m if math.isfinite(radius_m) else 0.0)
                return
        if item.command in LANDS:
            break
    yield way


@dataclass(frozen=True, slots=True)
class Rejoining:
    """What may be flown over the ground on the way back to a mission.

    Parameters
    ----------
    approach
        From where the vehicle is to the item, metres.
    join
        From there until it is on the line of the plan, or has landed; with the circle of an item that circles.
    """

    approach: MultiLineString
    join: MultiLineString


@dataclass(frozen=True, slots=True)
class Motion:
    """How wings fly now.

    Parameters
    ----------
    velocity_m_s
        Velocity east and north, metres a second; slower than 1 m/s it says nothing of their course.
    roll_deg
        Their bank, degrees, to the right positive; None where it is not known.
    """

    velocity_m_s: Point
    roll_deg: float | None = None


def rejoined(
    motion: Motion, places: Sequence[Point], radius_m: float, *, delay_s: float, circle_m: float = 0.0
) -> Rejoining:
    """Every way in which wings may fly from the origin of a plane to the first of some places, and on.

    Parameters
    ----------
    motion
        How they fly: they may go on so for the time that an order takes. Where that is not known, on a circle to either
        side, or on any course.
    places
        Where the mission leads from there on, metres east and north.
    radius_m
        Radius of turns, metres, wind included.
    delay_s
        How long an order may take, seconds.
    circle_m
        Radius of the circle at the last place, metres; 0 where it only passes or lands there.

    Raises
    ------
    PlaceError
        When it is not on a line of the plan after a long flight.
    """
    approaches: list[LineString] = []
    joins: list[LineString] = []
    for start, course in _starts(motion, radius_m, delay_s):
        for turn, aim, early in product(_TURNS, _AIMS, (0.0, _EARLY)):
            flown, passed = _flown(start, course, places, radius_m, (turn, aim, early))
            approaches.append(LineString([(0.0, 0.0), *flown[: passed + 1]]))
            joins.append(LineString(flown[passed:] if len(flown) - passed > 1 else [flown[-1], flown[-1]]))
    if circle_m > 0.0:
        angles = np.linspace(0.0, 2 * math.pi, 73)
        ring = np.array(places[-1]) + circle_m * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
        joins.append(LineString(ring))
    return Rejoining(MultiLineString(approaches), MultiLineString(joins))


def _starts(motion: Motion, radius_m: float, delay_s: float) -> Iterator[tuple[Point, float]]:
    """Where an order may find it, and on which course, radians anticlockwise from east."""
    speed = math.hypot(*motion.velocity_m_s)
    if speed < _SLOW_M_S:
        for course in np.linspace(0.0, 2 * math.pi, _COURSES, endpoint=False).tolist():
            yield (0.0, 0.0), course
        return
    course = math.atan2(motion.velocity_m_s[1], motion.velocity_m_s[0])
    yield (0.0, 0.0), course
    for away_m in (speed * delay_s / 2, speed * delay_s):
        for bend in _bends(motion.roll_deg, speed, radius_m):
            now = course + bend * away_m
            # A chord of the arc, which is half as far round as the arc.
            chord_m = away_m * float(np.sinc(bend * away_m / (2 * math.pi)))
            half = (course + now) / 2
            yield (chord_m * math.cos(half), chord_m * math.sin(half)), now


def _bends(roll_deg: float | None, speed_m_s: float, radius_m: float) -> tuple[float, ...]:
    """Curvature of what it flies now, 1 a metre, to the left positive."""
    if roll_deg is None:
        return 0.0, 1.0 / radius_m, -1.0 / radius_m
    bank = math.radians(max(-_MOST_BANK_DEG, min(_MOST_BANK_DEG, roll_deg)))
    return (-_GRAVITY_M_S2 * math.tan(bank) / speed_m_s**2,)


def _flown(
    start: Point, course: float, places: Sequence[Point], radius_m: float, how: tuple[float, float, float]
) -> tuple[list[Point], int]:
    """The points of one flight, and the number of that at which it leaves for the second place."""
    turn, aim, early = how
    step_m, aim_m, most = _STEP * radius_m, aim * radius_m, 1.0 / (turn * radius_m)
    (x, y), origin, number = start, start, 0
    points, passed = [start], 0
    longest_m = math.dist(start, places[0]) + _SETTLES * radius_m
    for _ in range(math.ceil(longest_m / step_m)):
        goal = places[number]
        length_m = math.dist(origin, goal)
        line = math.atan2(goal[1] - origin[1], goal[0] - origin[0]) if length_m > 0.0 else course
        along = (x - origin[0]) * math.cos(line) + (y - origin[1]) * math.sin(line)
        across = (y - origin[1]) * math.cos(line) - (x - origin[0]) * math.sin(line)  # to the left
        if math.dist((x, y), goal) <= early * radius_m * _share(line, places, number) or along >= length_m:
            if number == 0:
                passed = len(points) - 1
            number += 1
            origin = goal
            if number == len(places):
                return points, passed
            continue
        settled = abs(across) <= _ON_LINE * radius_m and abs(_wrapped(course - line)) <= _ALONG_RAD
        if number > 0 and settled and along >= 0.0:
            return points, passed
        eta = _wrapped(line - math.asin(max(-_CAPTURE_SINE, min(_CAPTURE_SINE, across / aim_m))) - course)
        bend = 2.0 * math.sin(max(-math.pi / 2, min(math.pi / 2, eta))) / aim_m
        course += step_m * max(-most, min(most, bend))
        x, y = x + step_m * math.cos(course), y + step_m * math.sin(course)
        points.append((x, y))
    if number == 0 or abs(across) > _BEND * radius_m:
        raise PlaceError("wings would not come back to the line of the plan there: its places lie too near together")
    return points, passed


def _share(line: float, places: Sequence[Point], number: int) -> float:
    """How much of a right angle, at most the whole, is turned at a place."""
    if number + 1 == len(places):
        return 0.0
    goal, after = places[number], places[number + 1]
    return min(1.0, abs(_wrapped(math.atan2(after[1] - goal[1], after[0] - goal[0]) - line)) / (math.pi / 2))


def _wrapped(angle: float) -> float:
    return (angle + math.pi) % (2 * math.pi) - math.pi
