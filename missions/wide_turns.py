"""Corners that wings fly wide: what they touch, and the arc that takes the place of one that touches what is shut.

Wings that come to a corner fly on to it as they come, turn as tightly as they can and are led back to the next leg from
outside. Most corners have room for that: a shortest way bends round what is shut, and its outside is open. Where there
is none, wings come to the corner along an arc instead, on the course of the next leg.

Drawn is the shortest way back: by how much an arc through the angle t ends beside the leg, R (1 - cos t), takes a turn
on and a counter-turn through acos((1 + cos t) / 2) each, of the same radius. An autopilot that is slower to come back
stays outside for longer than that. Where the leg ends sooner the drawing ends with it: what is left of the distance is
not carried over to the next corner, only what is left of the turn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Geometry

from missions.joining import Room, led_in_shorter, length_m, steered
from missions.surroundings import Region

__all__ = ["Berth", "turned_between"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_GENTLE_RAD = 0.35
"""What wings turn by at once without straying more than a few metres."""

_STRAIGHT_RAD = 0.06
"""What courses of one straight leg, which may have vertices of its own, differ by at most."""

_ARC_STEPS = 16
_BACK_STEPS = 8
_HELD = 0.5
"""Share of the margin of a zone that wide turns keep from it."""

_SAME_M = 0.05
"""Vertices nearer to each other than this are one, metres."""

_TRIES = 12

_AHEAD_RADII = 4.0
"""How far before a corner wings may leave the way to it, in turn radii."""


@dataclass(frozen=True)
class Berth:
    """What the wide turns of wings have to clear about a region: keep-out areas, and of zones a part of their margin.

    Parameters
    ----------
    region
        The region.
    zone_margin_m
        By how much its zones are grown, metres.
    """

    region: Region
    zone_margin_m: float

    @cached_property
    def _shut(self) -> Geometry:
        zones = (shapely.buffer(shape, (_HELD - 1) * self.zone_margin_m) for _, shape in self.region.zones)
        shut = shapely.union_all([*self.region.keep_out, *self.region.far, *zones])
        shapely.prepare(shut)
        return shut

    def tight(self, way: Floats, radius_m: float) -> Ints:
        """Numbers of the vertices of a way, metres, shape (n, 2), at which a turn of a radius is not clear.

        All that lies between the turn and the way counts. At a corner by itself wings that turn tighter stay within
        that; at corners close to each other they have less left to turn, and may come back to a leg further on.
        """
        which, turns = _wide(way, radius_m)
        if not len(which):
            return which
        return np.unique(which[np.asarray(shapely.intersects(self._shut, shapely.polygons(turns)))])

    def holds(self, way: Floats, radius_m: float) -> bool:
        """Whether what is flown at the corners of a way, flown there and back, is clear."""
        way = _distinct(way)
        return not len(self.tight(way, radius_m)) and not len(self.tight(way[::-1], radius_m))

    def rounded(self, way: Floats, room: Room, *, back: bool = False) -> Floats | None:
        """A way come to whose tight corners by arcs; None where nothing leaves room for them.

        Parameters
        ----------
        way
            Vertices, metres, shape (n, 2).
        room
            For turns.
        back
            Whether it is flown back, too.
        """
        way, turned = _distinct(way), False
        for _ in range(_TRIES):
            tight = self.tight(way, room.radius_m)
            if not len(tight) and back:
                way, turned = way[::-1], not turned
                tight = self.tight(way, room.radius_m)
            if not len(tight):
                return way[::-1] if turned else way
            k = int(tight[0])
            before, after = way[k] - way[k - 1], way[k + 1] - way[k]
            led = _led(way[: k + 1], after / np.hypot(*after), room)
            if led is not None and len(led) > k + 1:
                way = np.concatenate([led, way[k + 1 :]])
                continue
            ahead = min(_AHEAD_RADII * room.radius_m / float(np.hypot(*before)), 1.0) * before
            left = np.stack([way[k] - ahead, *way[k:]])
            found = steered(left, before, way[-1] - way[-2], rest=lambda part: part, room=room)
            # Costs and bounds are those of the way as it was: nothing that is flown may be shorter.
            if found is None or length_m(found) < length_m(left):
                return None
            way = _distinct(np.concatenate([way[:k], found]))
        return None


def turned_between(
    way: Floats, courses: tuple[Floats | None, Floats | None], room: Room, berth: Berth, *, search: bool = True
) -> Floats | None:
    """A way from one patrol to another that wings can fly there and back.

    Parameters
    ----------
    way
        Vertices, metres, shape (n, 2): what is lawful but for its corners.
    courses
        Directions, unit vectors, of the patrols that it leaves and comes to, where these meet it; None for an end that
        may be left or come to along any.
    room
        For turns.
    berth
        What wide turns have to clear.
    search
        Whether other curves are searched for where arcs at its ends and corners do not do.

    Returns
    -------
    numpy.ndarray or None
        Vertices, metres, shape (m, 2), with the ends of `way`; None where no clear way was found.
    """
    first, last = courses
    # Some of the patrols before it and after it.
    before = [] if first is None else [way[:1] - room.radius_m * first]
    after = [] if last is None else [way[-1:] + room.radius_m * last]

    def held(found: Floats | None) -> Floats | None:
        holds = found is not None and berth.holds(np.concatenate([*before, found, *after]), room.radius_m)
        return found if holds else None

    found = _by_arcs(_distinct(way), first, last, room)
    found = held(None if found is None else berth.rounded(found, room, back=True))
    if found is None and first is not None and search:
        found = held(steered(way, first, last, rest=lambda part: _by_arcs(part, None, last, room), room=room))
    return found


def _by_arcs(way: Floats, first: Floats | None, last: Floats | None, room: Room) -> Floats | None:
    """A way with an arc at each end that has a course; None where there is no room for one."""
    left = way if first is None else _led(way[::-1], -first, room)
    if left is None:
        return None
    way = left if first is None else left[::-1]
    return way if last is None else _led(way, last, room)


def _led(way: Floats, course: Floats, room: Room) -> Floats | None:
    """A way that comes to its end along a course, a unit vector: by the shorter clear arc, where it needs one."""
    step = way[-1] - way[-2]
    if float(step @ course) >= math.cos(_GENTLE_RAD) * float(np.hypot(*step)):
        return way
    led = led_in_shorter(way, course, room)
    return None if led is None else _distinct(led)


def _distinct(way: Floats) -> Floats:
    """A way without vertices that are one with that before: an arc of no length ends where it begins."""
    kept = np.append(True, np.hypot(*np.diff(way, axis=0).T) >= _SAME_M)
    if not kept[-1]:
        # Its end stays, in the place of what is one with it.
        kept[np.flatnonzero(kept)[1:][-1:]], kept[-1] = False, True
    return np.asarray(way[kept])


def _wide(way: Floats, radius_m: float) -> tuple[Ints, Floats]:
    """Numbers of the corners of a way, and what is flown from each on, metres, shape (m, k, 2).

    What is left to turn of one corner is added to the next: round a zone they may be close to each other.
    """
    step = np.diff(way, axis=0)
    length = np.hypot(*step.T)
    kept = np.flatnonzero(length > 0)
    step, length, corner = step[kept], length[kept], kept[1:]
    if not len(corner):
        return np.empty(0, dtype=np.int64), np.empty((0, 1, 2))
    course = np.unwrap(np.arctan2(step[:, 1], step[:, 0]))
    at = np.append(0.0, np.cumsum(length))
    along = at[1:-1] / radius_m
    # Where the straight leg ends that each step belongs to.
    bends = np.append(np.flatnonzero(np.abs(np.diff(course)) > _STRAIGHT_RAD), len(step) - 1)
    ahead = at[bends[np.searchsorted(bends, np.arange(len(step)))] + 1] - at[:-1]
    which, turns = [], []
    for side in (1.0, -1.0):
        # By how much more than the length allows any stretch turns that ends at a corner.
        least = np.minimum.accumulate(side * course[:-1] - along)
        turned = np.minimum(side * course[1:] - along - least, np.pi)
        own = np.flatnonzero(turned > _GENTLE_RAD)
        forth = np.stack([np.cos(course[own + 1]), np.sin(course[own + 1])], axis=-1)
        inside = side * np.stack([-forth[:, 1], forth[:, 0]], axis=-1)
        x, y = (radius_m * one for one in _turn(turned[own], ahead[own + 1] / radius_m))
        turns.append(way[corner[own], None] + x[..., None] * forth[:, None] + y[..., None] * inside[:, None])
        which.append(corner[own])
    return np.concatenate(which), np.concatenate(turns)


def _turn(turned: Floats, ahead: Floats) -> tuple[Floats, Floats]:
    """What is flown from corners on, along the next leg and to its inside, in turn radii, each of shape (m, k).

    `turned` are the angles, radians, shape (m,), and `ahead` is how long the legs are after them.
    """
    sin, cos = np.sin(turned)[:, None], np.cos(turned)[:, None]
    on = np.arccos((1 + np.cos(turned)) / 2)
    none = np.zeros_like(on)
    (arc_x, arc_y), (on_x, on_y) = _outside(-turned, none, _ARC_STEPS), _outside(none, on, _BACK_STEPS)
    back = on[:, None] * np.linspace(1.0, 0.0, _BACK_STEPS)
    # Chords of the counter-turn lie outside of it.
    back_x, back_y = 2 * np.sin(on)[:, None] - np.sin(back), np.cos(back) - 2 * np.cos(on)[:, None]
    x, y = np.concatenate([on_x, back_x], axis=1) + sin, np.concatenate([on_y, back_y], axis=1) + cos
    ends = np.maximum(ahead[:, None], sin)
    short = ahead[:, None] <= sin
    x, y = np.minimum(x, ends), np.where(short, cos - 1, y)
    return np.concatenate([arc_x + sin, x], axis=1), np.concatenate([arc_y + cos, y], axis=1)


def _outside(begin: Floats, end: Floats, steps: int) -> tuple[Floats, Floats]:
    """A turn of radius 1 about 0, 0 from courses to courses, radians, shape (m,): by what touches it from outside."""
    step = (end - begin)[:, None] / steps
    at = begin[:, None] + step * np.concatenate([[0.0], np.arange(steps) + 0.5, [steps]])
    away = np.ones_like(at)
    away[:, 1:-1] /= np.cos(step / 2)
    return away * np.sin(at), -away * np.cos(at)
