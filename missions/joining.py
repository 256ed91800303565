"""From a transit into a patrol without a corner: an arc that wings can fly, on the side away from the border.

Aircraft that cannot turn on the spot would overshoot a corner by about their turn radius, and the corner where a
transit meets the flight line points at the border. So they come in along a tangent of the circle that touches the
flight line there on its own side, and fly round it on to the line; away from it likewise. The flight line leaves room
for that circle (`missions.flightline`: no bay is narrower than the turn radius).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Open", "lead_in", "led_in"]

Floats = NDArray[np.float64]

_STEP_RAD = math.radians(15.0)
_TRIES = 4


class Open(Protocol):
    """What is open to fly through."""

    def clear(self, way: Floats) -> bool:
        """Whether a way, metres, shape (n, 2), touches nothing that is shut."""
        ...

    def route(self, start: Floats, stop: Floats) -> Floats | None:
        """Vertices of the shortest way between two places, metres, ends included; None where there is none."""
        ...


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
    count = max(1, math.ceil(turn / _STEP_RAD))
    angles = touch + inside * turn * np.arange(count) / count
    return np.asarray(centre + radius_m * np.stack([np.cos(angles), np.sin(angles)], axis=-1))


def led_in(way: Floats, course: Floats, insides: Sequence[float], radius_m: float, open_to: Open) -> Floats:
    """A way, metres, shape (n, 2), whose end is come to along a course, a unit vector, by an arc.

    Of the sides on which the arc may lie, given as `lead_in` has them, the first is taken that is clear. Where what is
    flown round lies between the way and the arc, the way to the arc is sought anew. Where nothing leaves room for it
    the corner stays; aircraft that turn on the spot have a radius of 0.
    """
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
    return way
