"""The way that an aircraft flies over the ground when it is sent to a place."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from shapely import LineString, MultiLineString

__all__ = ["flown_way"]

_ARC_RAD = math.radians(5.0)
_BEHIND_RAD = math.radians(120.0)  # to what lies farther aft wings may turn on either side
_SLOW_M_S = 1.0  # no heading follows from a slower velocity

Floats = NDArray[np.float64]
Point = tuple[float, float]


def flown_way(
    velocity_m_s: Floats, there: Point, radius_m: float, *, behind_rad: float = _BEHIND_RAD
) -> MultiLineString:
    """Lines over the ground from the origin of a plane to a point of it.

    What stops in the air flies straight. Wings turn at their radius towards the place first and fly on along the
    tangent; to what lies behind them they may turn on either side, and to a place inside the circle of their turn in
    some way within both circles, so all of that counts as flown.

    Parameters
    ----------
    velocity_m_s
        Velocity east and north, metres a second, shape (2,).
    there
        The place, metres east and north.
    radius_m
        Radius of a turn, metres; 0 for what stops in the air.
    behind_rad
        Angle off the nose, radians, beyond which a place lies behind.

    Returns
    -------
    MultiLineString
        One or more lines, metres.
    """
    straight = LineString([(0.0, 0.0), there])
    speed = float(np.hypot(*velocity_m_s))
    if radius_m <= 0.0:
        return MultiLineString([straight])
    if speed < _SLOW_M_S:
        # Wings that are said to stand still fly with a heading that nobody knows.
        ways = [straight, *(_circle(bearing, side, radius_m) for bearing in _compass() for side in (1, -1))]
        return MultiLineString(ways)
    heading = math.atan2(velocity_m_s[1], velocity_m_s[0])  # anticlockwise from east
    turn = _wrapped(math.atan2(there[1], there[0]) - heading)
    sides = (1, -1) if abs(turn) > behind_rad else (1 if turn > 0 else -1,)
    return MultiLineString([way for side in sides for way in _turned(heading, side, there, radius_m)])


def _turned(heading: float, side: int, there: Point, radius_m: float) -> list[LineString]:
    """Turn on one side (1: to the left) until the place lies ahead, then straight to it."""
    centre = _centre(heading, side, radius_m)
    to_place = np.array(there) - centre
    if float(np.hypot(*to_place)) <= radius_m:
        return [_circle(heading, 1, radius_m), _circle(heading, -1, radius_m), LineString([(0.0, 0.0), there])]
    course = heading + side * np.arange(0.0, 2 * math.pi, _ARC_RAD)
    at = centre + radius_m * side * np.stack([np.sin(course), -np.cos(course)], axis=-1)
    east, north = (np.array(there) - at).T
    ahead = np.flatnonzero(np.abs(_wrapped(np.arctan2(north, east) - course)) <= _ARC_RAD)
    turned = at if not len(ahead) else at[: ahead[0] + 1]
    return [LineString(np.concatenate([np.zeros((1, 2)), turned, [there]]))]


def _circle(heading: float, side: int, radius_m: float) -> LineString:
    centre = _centre(heading, side, radius_m)
    angles = np.arange(0.0, 2 * math.pi + _ARC_RAD, _ARC_RAD)
    return LineString(centre + radius_m * np.stack([np.cos(angles), np.sin(angles)], axis=-1))


def _centre(heading: float, side: int, radius_m: float) -> Floats:
    return radius_m * side * np.array([-math.sin(heading), math.cos(heading)])


def _compass() -> Floats:
    return np.arange(0.0, 2 * math.pi, math.radians(30.0))


def _wrapped(angle: Any) -> Any:
    return (angle + math.pi) % (2 * math.pi) - math.pi
