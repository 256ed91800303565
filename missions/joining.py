"""From a transit into a patrol without a corner: an arc that wings can fly, on the side away from the border.

Aircraft that cannot turn on the spot would overshoot a corner by about their turn radius, and the corner where a
transit meets the flight line points at the border. So they come in along a tangent of the circle that touches the
flight line there on its own side, and fly round it on to the line; away from it likewise. The flight line leaves room
for that circle (`missions.flightline`: no bay is narrower than the turn radius).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from missions.dubins import STEP_RAD, Curve, Heading, dubins

__all__ = ["Open", "Room", "lead_in", "led_in", "led_in_shorter", "length_m", "steered"]

Floats = NDArray[np.float64]

_TRIES = 4

_AWAY_RADII = (2.0, 4.0, 6.0, 9.0)
_BEARINGS = 12
_COURSES = 8
_FREE_COURSES = 16
_TARGETS = 3
"""Where a search looks: headings so far away, in so many directions, along so many courses each; courses at an end that
has none of its own; and vertices of the way that it may come back to."""


class Open(Protocol):
    """What is open to fly through."""

    def clear(self, way: Floats) -> bool:
        """Whether a way, metres, shape (n, 2), touches nothing that is shut."""
        ...

    def route(self, start: Floats, stop: Floats) -> Floats | None:
        """Vertices of the shortest way between two places, metres, ends included; None where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Room:
    """For turns: how wide they are, and where.

    Parameters
    ----------
    radius_m
        Radius of turns, metres; 0 for aircraft that turn on the spot.
    open_to
        What is open to fly through.
    """

    radius_m: float
    open_to: Open


def lead_in(before: Floats, at: Floats, course: Floats, inside: float, radius_m: float) -> Floats:
    """Vertices between a place and the beginning of a patrol, metres, shape (n, 2); both left out.

    Parameters
    ----------
    before, at
        Where it comes from, and where the patrol begins, shape (2,).
    course
        Direction of the patrol there, a unit vector.
    inside
        1 where the side away from the border is to the left of the course, -1 where it is to the right.
    radius_m
        Radius of the arc, metres.

    Notes
    -----
    With D the distance of the place from the centre of the circle the tangent touches it at the angle acos(R / D) from
    the direction of the place. A place within the circle has no tangent: from there it first flies back to three radii
    before the beginning, two radii off the line.
    """
    normal = inside * np.array([-course[1], course[0]])
    centre = at + radius_m * normal
    if float(np.hypot(*(before - centre))) <= radius_m * (1 + 1e-9):
        back = at - 3 * radius_m * course + 2 * radius_m * normal
        return np.concatenate([back[None], lead_in(back, at, course, inside, radius_m)])
    off = before - centre
    away = float(np.hypot(*off))
    # Left turns run against the clock.
    touch = math.atan2(off[1], off[0]) + inside * math.acos(radius_m / away)
    end = math.atan2(at[1] - centre[1], at[0] - centre[0])
    turn = (inside * (end - touch)) % (2 * math.pi)
    if turn > 2 * math.pi - 1e-6:
        turn = 0.0
    count = max(1, math.ceil(turn / STEP_RAD))
    angles = touch + inside * turn * np.arange(count) / count
    return np.asarray(centre + radius_m * np.stack([np.cos(angles), np.sin(angles)], axis=-1))


def led_in(way: Floats, course: Floats, insides: Sequence[float], room: Room) -> Floats | None:
    """A way, metres, shape (n, 2), whose end is come to along a course, a unit vector, by an arc.

    Of the sides on which the arc may lie, given as `lead_in` has them, the first is taken that is clear. Where what is
    flown round lies between the way and the arc, the way to the arc is sought anew. None where nothing leaves room for
    it; aircraft that turn on the spot have a radius of 0.
    """
    radius_m, open_to = room.radius_m, room.open_to
    if radius_m <= 0 or len(way) < 2:
        return way
    for inside in insides:
        path = way[:-1]
        for _ in range(_TRIES):
            arc = lead_in(path[-1], way[-1], course, inside, radius_m)
            led = np.concatenate([path, arc, way[-1:]])
            if open_to.clear(led[len(path) - 1 :]):
                return led
            # From its last corner on: what lies before it may be an arc of its other end.
            found = open_to.route(way[-2], arc[0]) if open_to.clear(led[len(path) :]) else None
            if found is None or len(found) < 2 or np.array_equal(found[:-1], path[len(way) - 2 :]):
                break
            path = np.concatenate([way[:-2], found[:-1]])
    return None


def led_in_shorter(way: Floats, course: Floats, room: Room) -> Floats | None:
    """As `led_in`, by the shorter of the turns to the left and to the right that are clear."""
    turned = [led_in(way, course, [inside], room) for inside in (-1.0, 1.0)]
    return min((one for one in turned if one is not None), key=length_m, default=None)


def length_m(way: Floats) -> float:
    """Length of a way, metres, shape (n, 2)."""
    return float(np.hypot(*np.diff(way, axis=0).T).sum())


def steered(
    way: Floats, first: Floats, last: Floats | None, *, rest: Callable[[Floats], Floats | None], room: Room
) -> Floats | None:
    """A way that leaves along a course, by the shortest clear curve found.

    Parameters
    ----------
    way
        Vertices, metres, shape (n, 2): what is lawful but for its corners.
    first, last
        Courses at its ends, vectors; None where it may end along any.
    rest
        Makes of a later part of the way what comes to its end as it has to, or None where that cannot be.
    room
        For turns.

    Returns
    -------
    numpy.ndarray or None
        Vertices, metres, shape (m, 2), with the ends of `way`; None where no clear curve was found.
    """
    radius_m, open_to = room.radius_m, room.open_to
    start, best, best_m = Heading.along(way[0], first), None, math.inf
    middles = list(_middles(start, radius_m))
    places = np.array([[middle.x, middle.y] for middle in middles])
    outward_m = np.hypot(*(places - way[0]).T)
    # A first curve serves for all vertices of the way that it may come back to.
    outward: dict[int, Curve | None] = {}
    for then, tail in _ends(way, last, rest):
        tail_m = length_m(tail)
        found = _first_clear(_shorter(start, then, radius_m, best_m - tail_m), open_to)
        if found is not None:
            best, best_m = np.concatenate([found.vertices(), tail[1:]]), tail_m + found.length_m
        # No curve is shorter than straight to its end.
        least_m = tail_m + outward_m + np.hypot(*(places - tail[0]).T)
        for k, middle in enumerate(middles):
            if least_m[k] >= best_m:
                continue
            if k not in outward:
                outward[k] = _first_clear(dubins(start, middle, radius_m), open_to)
            out = outward[k]
            if out is None:
                continue
            before_m = tail_m + out.length_m
            found = _first_clear(_shorter(middle, then, radius_m, best_m - before_m), open_to)
            if found is not None:
                best = np.concatenate([out.vertices(), found.vertices()[1:], tail[1:]])
                best_m = before_m + found.length_m
    return best


def _shorter(start: Heading, stop: Heading, radius_m: float, limit_m: float) -> list[Curve]:
    return [curve for curve in dubins(start, stop, radius_m) if curve.length_m < limit_m]


def _first_clear(curves: Sequence[Curve], open_to: Open) -> Curve | None:
    return next((curve for curve in curves if open_to.clear(curve.vertices())), None)


def _middles(start: Heading, radius_m: float) -> Iterator[Heading]:
    """Headings near a place that a way may lead through."""
    for away in _AWAY_RADII:
        for bearing in np.arange(_BEARINGS) * (2 * math.pi / _BEARINGS) + start.course_rad:
            x, y = start.x + away * radius_m * math.cos(bearing), start.y + away * radius_m * math.sin(bearing)
            for course in np.arange(_COURSES) * (2 * math.pi / _COURSES) + start.course_rad:
                yield Heading(x, y, float(course))


def _ends(
    way: Floats, last: Floats | None, rest: Callable[[Floats], Floats | None]
) -> Iterator[tuple[Heading, Floats]]:
    """Where a search may come back to a way: headings, and the vertices from there to its end."""
    for k in range(1, min(len(way) - 1, _TARGETS + 1)):
        tail = rest(way[k:])
        if tail is not None:
            yield Heading.along(tail[0], tail[1] - tail[0]), tail
    end = way[-1:]
    courses = np.arange(_FREE_COURSES) * (2 * math.pi / _FREE_COURSES)
    turns = np.stack([np.cos(courses), np.sin(courses)], axis=-1) if last is None else [last]
    for course in turns:
        yield Heading.along(end[0], course), end
