"""What cameras that look square across their course see of places on the ground, in closed form.

Along a straight leg the camera looks to one side at a fixed pitch. A place then lies at a distance y across the leg and
at a depth z = y cos p + h sin p along the optical axis, whatever point of the leg it is seen from (p the depression, h
the height of the camera above the place). So it is in the picture at some time if it is when the aircraft is abeam of
it, or as near to that as the leg goes, and its GSD is z / f, f the focal length in pixels. On a climb h, and with it z,
is linear along the leg, and so are the four edges of the picture: the place is in it on one piece of the leg, and
finest at an end of that. In a turn at a vertex the camera sweeps from the one direction to the other, and a place is
judged when it is nearest to the middle column. Off that by an angle a its depth is y cos a cos p + h sin p: no moment
of a turn shows it coarser, and what another one shows finer, or shows alone, is not claimed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import shapely
from numpy.typing import NDArray

from geo import Terrain, shorter_turn, visible
from missions.plane import Plane
from missions.views import Views

__all__ = ["Seen", "Sight", "seen_from"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_TARGET_AGL_M = 1.0
"""Height above ground of what is to be seen: the middle of a person."""

_GLANCE = 0.8
"""Where else a place is looked at from than abeam: share of the way from there to where it leaves the picture."""

_FINER = 0.999
"""Share of the GSD abeam below which a moment of a climb is worth a look of its own."""

_BETWEEN = 24
"""At how many places between a view and what it does not show it is looked whether the ground is known there."""

_EDGE_PX = 0.5
"""A place on the very edge of the picture is in it, pixels: rounding decides nothing."""


class Sight(IntEnum):
    """How well a place is seen, worst first."""

    NONE = 0
    TOO_FAR = 1
    TOO_NEAR = 2
    BESIDE = 3
    TOO_COARSE = 4
    HIDDEN = 5
    UNKNOWN = 6
    SEEN = 7


@dataclass(frozen=True, slots=True)
class Seen:
    """What is seen of n places.

    Parameters
    ----------
    sight
        How well each is seen at best, values of `Sight`, shape (n,).
    gsd_m
        Finest GSD at which it is in the picture, metres a pixel, shape (n,); infinite where it is in none.
    across_m
        Distance across the course of the view that comes nearest to seeing it, metres; NaN where none is near.
    """

    sight: Ints
    gsd_m: Floats
    across_m: Floats


def seen_from(
    views: Views, plane: Plane, xy: Floats, terrain: Terrain, at_deg: tuple[Floats, Floats] | None = None
) -> Seen:
    """Judge places on the ground.

    Parameters
    ----------
    views
        From where cameras look.
    plane
        Plane of the places; it should be centred near them.
    xy
        East and north of each, metres, shape (n, 2).
    terrain
        The ground: its heights, and what stands in the way. Over a plane nothing does.
    at_deg
        Latitude and longitude of each, degrees, shape (n,), where they are known already.
    """
    count = len(xy)
    sight = np.zeros(count, dtype=np.int64)
    gsd, across = np.full(count, np.inf), np.full(count, np.nan)
    pairs = _Pairs.near(views, plane, xy)
    if not len(pairs.place):
        return Seen(sight, gsd, across)
    lat, lon = plane.lat_lon(xy) if at_deg is None else at_deg
    pairs.judge(terrain.known_elevation_m(lat, lon))
    if math.isfinite(terrain.resolution_m):
        pairs.look_over(terrain, lat, lon)
    # The best pair of each place comes last: of equal ones that of the finest GSD.
    order = np.lexsort((-pairs.gsd_m, pairs.sight, pairs.place))
    last = np.append(np.flatnonzero(np.diff(pairs.place[order])), len(order) - 1)
    best = order[last]
    place = pairs.place[best]
    sight[place], across[place] = pairs.sight[best], pairs.across_m[best]
    gsd[place] = np.where(pairs.sight[best] >= Sight.TOO_COARSE, pairs.gsd_m[best], np.inf)
    return Seen(sight, gsd, across)


class _Pairs:
    """Pairs of a place and a view that could see it."""

    def __init__(self, views: Views, ends: Floats, xy: Floats, place: Ints, view: Ints) -> None:
        self._views, self.place, self._view = views, place, view
        start, step = ends[view, 0], (ends[:, 1] - ends[:, 0])[view]
        self._length = np.hypot(*step.T)
        turning = ~np.isnan(views.turn_rad[view])
        unit = step / np.where(turning, 1.0, self._length)[:, None]
        relative = xy[place] - start
        side = views.side[view]
        # Straight: x along the leg from its start, y across it towards where the camera looks.
        x = np.einsum("nk,nk->n", relative, unit)
        y = side * (unit[:, 0] * relative[:, 1] - unit[:, 1] * relative[:, 0])
        self._t = np.clip(x, 0.0, self._length)
        ahead = x - self._t
        # A turn: the direction nearest to that of the place within the sweep.
        sweep = np.where(turning, views.turn_rad[view], 0.0)
        begin = views.look_rad[view]
        off = np.arctan2(relative[:, 1], relative[:, 0]) - begin
        off = np.where(sweep < 0, -1.0, 1.0) * off
        half = np.abs(sweep) / 2
        off = (off - half + np.pi) % (2 * np.pi) - np.pi + half
        direction = begin + np.where(sweep < 0, -1.0, 1.0) * np.clip(off, 0.0, np.abs(sweep))
        c, s = np.cos(direction), np.sin(direction)
        self._ahead = np.where(turning, relative[:, 1] * c - relative[:, 0] * s, ahead)
        self.across_m: Floats = np.where(turning, relative[:, 0] * c + relative[:, 1] * s, y)
        self._turning = turning
        self.sight: Ints = np.zeros(len(place), dtype=np.int64)
        self.gsd_m: Floats = np.full(len(place), np.inf)
        # Metres along the leg: where the place comes into the picture, where it leaves it, where it is finest.
        self._from, self._to, self._finest = (self._t.copy() for _ in range(3))

    @classmethod
    def near(cls, views: Views, plane: Plane, xy: Floats) -> _Pairs:
        """Every view and the places within its range."""
        ends = np.stack([plane.xy(views.lat_deg[:, k], views.lon_deg[:, k]) for k in (0, 1)], axis=1)
        reach = views.range_m()[:, None]
        low, high = ends.min(axis=1) - reach, ends.max(axis=1) + reach
        inside = np.all((high >= xy.min(axis=0)) & (low <= xy.max(axis=0)), axis=1)
        own = np.flatnonzero(inside)
        if not len(own):
            return cls(views, ends, xy, own, own)
        # Of a long border most places have no view near them.
        near = np.flatnonzero(np.all((xy >= low[own].min(axis=0)) & (xy <= high[own].max(axis=0)), axis=1))
        boxes = shapely.box(low[own, 0], low[own, 1], high[own, 0], high[own, 1])
        found, place = shapely.STRtree(np.asarray(shapely.points(xy[near]))).query(boxes)
        return cls(views, ends, xy, near[place], own[found])

    def judge(self, ground_m: Floats) -> None:
        """How well each view sees its place, whatever stands between: `ground_m` is the height of every place."""
        views, view = self._views, self._view
        low, high = views.amsl_m[view].T
        share = self._t / np.where(self._turning, 1.0, self._length)
        height = low + share * (high - low) - ground_m[self.place]
        c, s = np.cos(views.depression_rad[view]), np.sin(views.depression_rad[view])
        depth = self.across_m * c + height * s
        focal = views.focal_px[view]
        before = depth > 0
        safe = np.where(before, depth, 1.0)
        below = (height * c - self.across_m * s) / safe * focal
        beside = np.abs(self._ahead) / safe * focal
        tall, wide = views.half_height_px[view] + _EDGE_PX, views.half_width_px[view] + _EDGE_PX
        self.gsd_m = np.where(before, depth / focal, np.inf)
        half_m = np.where(self._turning, 0.0, views.half_width_px[view] / focal * safe)
        self._from, self._to = (np.clip(self._t + half, 0.0, self._length) for half in (-half_m, half_m))
        in_column, in_row = np.abs(below) <= tall, beside <= wide
        self.sight = np.select(
            [~before, ~in_column & (below < 0), ~in_column, ~in_row, self.gsd_m > views.gsd_m[view] * (1 + 1e-9)],
            [Sight.NONE, Sight.TOO_FAR, Sight.TOO_NEAR, Sight.BESIDE, Sight.TOO_COARSE],
            Sight.SEEN,
        ).astype(np.int64)
        # Of a place that is beside the picture as well, how high it would be in it says nothing.
        self.sight[before & ~in_column & ~in_row] = Sight.NONE
        self._climb(np.flatnonzero((low != high) & ~self._turning), height)
        unknown = np.isnan(height)
        self.sight[unknown], self.gsd_m[unknown] = Sight.UNKNOWN, np.inf

    def _climb(self, own: Ints, height: Floats) -> None:
        """Where along legs that climb or sink places are in the picture, and how fine: `height` is that at `_t`."""
        if not len(own):
            return
        views, view = self._views, self._view[own]
        length, t, y = self._length[own], self._t[own], self.across_m[own]
        x, (low, high) = t + self._ahead[own], views.amsl_m[view].T
        slope, focal = (high - low) / length, views.focal_px[view]
        wide, tall = ((half[view] + _EDGE_PX) / focal for half in (views.half_width_px, views.half_height_px))
        c, s = np.cos(views.depression_rad[view]), np.sin(views.depression_rad[view])
        up = height[own] - slope * t
        # Along the axis, and below it, both as (at the start of the leg, for each metre of it).
        depth, below = (y * c + up * s, slope * s), (up * c - y * s, slope * c)
        edges = (
            (wide * depth[0] - x, wide * depth[1] + 1.0),
            (wide * depth[0] + x, wide * depth[1] - 1.0),
            (tall * depth[0] - below[0], tall * depth[1] - below[1]),
            (tall * depth[0] + below[0], tall * depth[1] + below[1]),
        )
        first, last = _where_positive(edges, np.zeros_like(length), length)
        on = first <= last
        finest = np.where(depth[1] > 0, first, last)
        gsd = (depth[0] + depth[1] * finest) / focal
        limit = views.gsd_m[view] * (1 + 1e-9)
        fine = on & (gsd <= limit)
        # What is too coarse at one end of it counts from where it no longer is.
        nearer = _where_positive(((limit * focal - depth[0], -depth[1]),), first, last)
        first, last = (np.where(fine, a, b) for a, b in zip(nearer, (first, last), strict=True))
        own = own[on]
        self.sight[own] = np.where(fine[on], Sight.SEEN, Sight.TOO_COARSE)
        self.gsd_m[own] = gsd[on]
        self._from[own], self._to[own], self._finest[own] = first[on], last[on], finest[on]
        self._t[own] = np.clip(t[on], first[on], last[on])

    def look_over(self, terrain: Terrain, lat: Floats, lon: Floats) -> None:
        """Mark as hidden what the ground stands before, trying the moments of each place from the finest on."""
        seen = np.flatnonzero(self.sight == Sight.SEEN)
        pair, at, gsd = self._moments(seen)
        order = np.lexsort((gsd, self.place[pair]))
        ordered = self.place[pair[order]]
        turn = np.arange(len(order)) - np.searchsorted(ordered, ordered)
        by_turn = order[np.argsort(turn, kind="stable")]
        open_, clear = np.ones(len(lat), dtype=bool), np.zeros(len(self.place), dtype=bool)
        for tried in np.split(by_turn, np.cumsum(np.bincount(turn))[:-1]):
            left = tried[open_[self.place[pair[tried]]]]
            if not len(left):
                break
            found = left[self._clear(pair[left], at[left], terrain, lat, lon)]
            self.gsd_m[pair[found]], clear[pair[found]] = gsd[found], True
            open_[self.place[pair[found]]] = False
        shut = seen[~clear[seen]]
        self.sight[shut] = Sight.HIDDEN
        lost = shut[open_[self.place[shut]]]
        self.sight[lost] = np.where(self._over_unknown(lost, terrain, lat, lon), Sight.UNKNOWN, Sight.HIDDEN)

    def _moments(self, seen: Ints) -> tuple[Ints, Floats, Floats]:
        """From where pairs are looked along: which pair, metres along its leg, and the GSD."""
        views, t = self._views, self._t[seen]
        view = self._view[seen]
        length = np.where(self._turning[seen], 1.0, self._length[seen])
        slope = (views.amsl_m[view, 1] - views.amsl_m[view, 0]) / length
        finer = slope * np.sin(views.depression_rad[view]) / views.focal_px[view]
        abeam = self.gsd_m[seen] + finer * (t - self._finest[seen])
        ends = (t + _GLANCE * (end[seen] - t) for end in (self._from, self._to))
        worth = self.gsd_m[seen] < abeam * _FINER
        pairs, at, gsd = [seen[worth]], [self._finest[seen][worth]], [self.gsd_m[seen][worth]]
        for place in (t, *ends):
            pairs.append(seen)
            at.append(place)
            gsd.append(abeam + finer * (place - t))
        return np.concatenate(pairs), np.concatenate(at), np.concatenate(gsd)

    def _over_unknown(self, pairs: Ints, terrain: Terrain, lat: Floats, lon: Floats) -> NDArray[np.bool_]:
        """Whether elevations are missing between a view and its place."""
        eye_lat, eye_lon, _ = self._eye(pairs, self._t[pairs])
        share = np.linspace(0.0, 1.0, _BETWEEN)
        place = self.place[pairs]
        steps = lat[place] - eye_lat, shorter_turn(lon[place] - eye_lon)
        at = [a[:, None] + share * step[:, None] for a, step in zip((eye_lat, eye_lon), steps, strict=True)]
        return np.asarray(np.isnan(terrain.known_elevation_m(*at)).any(axis=1))

    def _eye(self, pairs: Ints, at_m: Floats) -> tuple[Floats, Floats, Floats]:
        """Where views look from so far along their legs: degrees and metres AMSL, each of shape (n,)."""
        views, view = self._views, self._view[pairs]
        share = at_m / np.where(self._turning[pairs], 1.0, self._length[pairs])

        def between(ends: Floats) -> Floats:
            return np.asarray(ends[view, 0] + share * (ends[view, 1] - ends[view, 0]))

        return between(views.lat_deg), between(views.lon_deg), between(views.amsl_m)

    def _clear(self, pairs: Ints, at_m: Floats, terrain: Terrain, lat: Floats, lon: Floats) -> NDArray[np.bool_]:
        place = self.place[pairs]
        return visible(terrain, self._eye(pairs, at_m), lat[place], lon[place], target_agl_m=_TARGET_AGL_M)


def _where_positive(lines: Iterable[tuple[Floats, Floats]], first: Floats, last: Floats) -> tuple[Floats, Floats]:
    """The part of intervals, each of shape (n,), on which all lines a + b t are 0 or more; turned where none is."""
    for a, b in lines:
        at = -a / np.where(b == 0, 1.0, b)
        first = np.where(b > 0, np.maximum(first, at), first)
        last = np.where(b < 0, np.minimum(last, at), last)
        last = np.where((b == 0) & ~(a >= 0), -np.inf, last)
    return first, last
