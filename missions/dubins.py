"""Shortest ways of wings from one course to another: arcs of their turn radius, and straight pieces between.

Six words hold the shortest way of a vehicle that flies forward and turns no tighter than a radius: two turns with a
straight piece between (LSL, RSR, LSR, RSL) or with a third turn (LRL, RLR).

References
----------
L. E. Dubins, On curves of minimal length with a constraint on average curvature, 1957; the closed forms are those of
A. M. Shkel and V. Lumelsky, Classification of the Dubins set, 2001.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["STEP_RAD", "Curve", "Heading", "dubins"]

Floats = NDArray[np.float64]

STEP_RAD = math.radians(15.0)
"""Most that the chords of an arc turn by from one to the next, radians."""

_HAIR_RAD = 1e-6
_STRAIGHT = "S"


@dataclass(frozen=True, slots=True)
class Heading:
    """A place and the course flown there.

    Parameters
    ----------
    x, y
        Metres.
    course_rad
        Direction of flight, radians from the first axis towards the second.
    """

    x: float
    y: float
    course_rad: float

    @classmethod
    def along(cls, at: Floats, course: Floats) -> Heading:
        """At a place, metres, shape (2,), along a vector."""
        return cls(float(at[0]), float(at[1]), math.atan2(course[1], course[0]))


@dataclass(frozen=True, slots=True)
class Curve:
    """One way from a heading on.

    Parameters
    ----------
    start, radius_m
        Where it begins, and the radius of its arcs, metres.
    word
        What is flown: L and R are arcs to the left and to the right, S is straight.
    parts
        How much of each: radians of an arc, radii of a straight piece.
    """

    start: Heading
    radius_m: float
    word: str
    parts: tuple[float, float, float]

    @property
    def length_m(self) -> float:
        """Its length, metres."""
        return self.radius_m * sum(self.parts)

    def vertices(self) -> Floats:
        """Its vertices, metres, ends included, shape (n, 2): arcs as chords that turn by `STEP_RAD` at most."""
        x, y, course = self.start.x, self.start.y, self.start.course_rad
        out = [(x, y)]
        for letter, part in zip(self.word, self.parts, strict=True):
            if part < _HAIR_RAD:
                continue
            if letter == _STRAIGHT:
                x, y = x + self.radius_m * part * math.cos(course), y + self.radius_m * part * math.sin(course)
                out.append((x, y))
                continue
            hand = 1.0 if letter == "L" else -1.0
            centre = x - hand * self.radius_m * math.sin(course), y + hand * self.radius_m * math.cos(course)
            count = math.ceil(part / STEP_RAD)
            for k in range(1, count + 1):
                now = course + hand * part * k / count
                x = centre[0] + hand * self.radius_m * math.sin(now)
                y = centre[1] - hand * self.radius_m * math.cos(now)
                out.append((x, y))
            course += hand * part
        return np.array(out)


def dubins(start: Heading, stop: Heading, radius_m: float) -> list[Curve]:
    """The ways from one heading to another, the shortest first: at most six, at least two."""
    east, north = stop.x - start.x, stop.y - start.y
    apart, bearing = math.hypot(east, north) / radius_m, math.atan2(north, east)
    a, b = _turn(start.course_rad - bearing), _turn(stop.course_rad - bearing)
    found = [Curve(start, radius_m, word, parts) for word, parts in _words(apart, a, b)]
    return sorted(found, key=lambda curve: curve.length_m)


def _words(d: float, a: float, b: float) -> Iterator[tuple[str, tuple[float, float, float]]]:
    """Words and their parts between courses `a` and `b` against the line between two places `d` radii apart."""
    sa, ca, sb, cb, both = math.sin(a), math.cos(a), math.sin(b), math.cos(b), math.cos(a - b)
    square = max(2 + d * d - 2 * both + 2 * d * (sa - sb), 0.0)
    # One turn and nothing else: a piece of no length has no direction.
    along = math.atan2(cb - ca, d + sa - sb) if square > _HAIR_RAD**2 else a
    yield "LSL", (_turn(along - a), math.sqrt(square), _turn(b - along))
    square = max(2 + d * d - 2 * both + 2 * d * (sb - sa), 0.0)
    along = math.atan2(ca - cb, d - sa + sb) if square > _HAIR_RAD**2 else a
    yield "RSR", (_turn(a - along), math.sqrt(square), _turn(along - b))
    square = d * d - 2 + 2 * both + 2 * d * (sa + sb)
    if square > -_HAIR_RAD:  # rounding must not take a way of two turns
        p = math.sqrt(max(square, 0.0))
        along = math.atan2(-ca - cb, d + sa + sb) - math.atan2(-2.0, p)
        yield "LSR", (_turn(along - a), p, _turn(along - b))
    square = d * d - 2 + 2 * both - 2 * d * (sa + sb)
    if square > -_HAIR_RAD:  # rounding must not take a way of two turns
        p = math.sqrt(max(square, 0.0))
        along = math.atan2(ca + cb, d - sa - sb) - math.atan2(2.0, p)
        yield "RSL", (_turn(a - along), p, _turn(b - along))
    cosine = (6 - d * d + 2 * both + 2 * d * (sa - sb)) / 8
    if abs(cosine) <= 1 + _HAIR_RAD:
        p = 2 * math.pi - math.acos(max(-1.0, min(1.0, cosine)))
        t = _turn(a - math.atan2(ca - cb, d - sa + sb) + p / 2)
        yield "RLR", (t, p, _turn(a - b - t + p))
    cosine = (6 - d * d + 2 * both + 2 * d * (sb - sa)) / 8
    if abs(cosine) <= 1 + _HAIR_RAD:
        p = 2 * math.pi - math.acos(max(-1.0, min(1.0, cosine)))
        t = _turn(-a + math.atan2(-ca + cb, d + sa - sb) + p / 2)
        yield "LRL", (t, p, _turn(b - a - t + p))


def _turn(angle: float) -> float:
    """An angle as a turn from nothing to a full one; a hair short of a full turn is nothing."""
    turn = angle % (2 * math.pi)
    return 0.0 if turn > 2 * math.pi - _HAIR_RAD else turn
