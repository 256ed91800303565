"""What of the band the cameras see along the flown legs, at which GSD, and what they do not see, and why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geo import Terrain, shorter_turn
from missions.band import BandCells, BandLine, band_cells
from missions.patrol import Coverage, GsdShare, Uncovered
from missions.plane import Plane
from missions.views import Views, Watch, views_of
from missions.watching import Seen, Sight, seen_from

__all__ = ["Lost", "cover"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_STEP_M = 6.0
_FAR_DEG = 1.0
"""What is farther from the middle of a stretch than this lies beside nothing there, degrees."""

_MOST_CELLS = 400_000
_GAP_COLUMNS = 3
"""Places along the line that may be seen between two unseen ones of one kind without making two entries of them."""

_GSD_STEPS_M = (
    0.01,
    0.02,
    0.03,
    0.04,
    0.05,
    0.06,
    0.08,
    0.1,
    0.125,
    0.15,
    0.2,
    0.25,
    0.3,
    0.4,
    0.5,
    0.75,
    1.0,
    2.0,
    5.0,
)
_BEND = "the course bends, and neither the view before the bend nor the one after it takes this in"
_OUT_OF_RANGE = -1
"""Beside the values of `Sight`: no view reaches so far, whatever it looks at."""
_REASONS = {
    _OUT_OF_RANGE: "no lawful way leads nearer than {across:.0f} m: the stand-off keeps the aircraft out of here",
    Sight.NONE: _BEND,
    Sight.BESIDE: _BEND,
    Sight.TOO_FAR: "the stand-off keeps the aircraft {across:.0f} m away, and from there it lies above the picture",
    Sight.TOO_NEAR: "the line bends to within {across:.0f} m of the course, and from there it lies below the picture",
    Sight.TOO_COARSE: "no view of it is finer than {gsd:.3f} m a pixel",
    Sight.HIDDEN: "hidden by the ground: a ridge or a slope stands between it and every view",
    Sight.UNKNOWN: "the ground there, or before it, is not known: {lack}",
}


@dataclass(frozen=True, slots=True)
class Lost:
    """A stretch of the flight line on which nobody watches: vertices, degrees, shape (n,), and why."""

    lat_deg: Floats
    lon_deg: Floats
    reason: str


def cover(lines: Sequence[BandLine], watches: Sequence[Watch], lost: Sequence[Lost], terrain: Terrain) -> Coverage:
    """Measure coverage, cell by cell of the band, from every watched leg and turn, on the terrain.

    Parameters
    ----------
    lines
        What is to be watched.
    watches
        Who watches.
    lost
        Where nobody flies, and why.
    terrain
        The ground: each cell is judged at its own height, and lines of sight go over what lies between.
    """
    length = sum(float(line.along_m()[-1]) for line in lines)
    depth = max(line.left_m + line.right_m for line in lines)
    step = max(_STEP_M, math.sqrt(length * depth / _MOST_CELLS))
    # Where the whole line is too long for that the rows stay close: the band is shallow, and its far edge matters.
    row = min(step, max(_STEP_M, depth / 8))
    step = max(step, length * depth / row / _MOST_CELLS)
    tally = _Tally(views_of(watches), lost, terrain, step)
    for line in lines:
        for cells in band_cells(line, step, row):
            tally.count(cells)
        tally.next_line(line.name)
    return tally.coverage(max(watch.gsd_m for watch in watches))


class _Tally:
    """Counts cells, stretch by stretch."""

    def __init__(self, views: Views, lost: Sequence[Lost], terrain: Terrain, step_m: float) -> None:
        self._views, self._lost, self._terrain, self._step_m = views, lost, terrain, step_m
        self._boxes = _boxes(lost)
        self._reach_deg = 2.0 * float(views.range_m().max(initial=0.0)) / 111_000.0
        self._areas: list[Floats] = []
        self._gsds: list[Floats] = []
        self._unseen: list[_Unseen] = []
        self._column = 0
        self._ends: list[int] = []
        self._names: list[str] = []

    def next_line(self, name: str) -> None:
        """What was counted since the last one belongs to the line of this name; what comes now is not beside it."""
        self._ends.append(len(self._unseen))
        self._names.append(name)
        self._column = 1 + _GAP_COLUMNS + max((int(u.column.max(initial=0)) for u in self._unseen), default=0)

    def count(self, cells: BandCells) -> None:
        """Judge the cells of one stretch."""
        if not len(cells.xy):
            return
        lat, lon = cells.plane.lat_lon(cells.xy)
        views = self._views.near(lat, lon, self._reach_deg)
        seen = seen_from(views, cells.plane, cells.xy, self._terrain, (lat, lon))
        good = seen.sight == Sight.SEEN
        self._areas.append(cells.area_m2)
        self._gsds.append(np.where(good, seen.gsd_m, np.inf))
        bad = np.flatnonzero(~good)
        if not len(bad):
            return
        lost, away = self._beside(cells, bad, views)
        sight, across = _shown(seen, bad), seen.across_m[bad]
        # Where no view reaches it is the distance that hides it, however the course runs: a finger or a pocket that the
        # stand-off shuts.
        out_of_range = (sight == Sight.NONE) & np.isnan(across) & np.isfinite(away)
        sight[out_of_range], across[out_of_range] = _OUT_OF_RANGE, away[out_of_range]
        self._unseen.append(
            _Unseen(
                self._column + cells.column[bad], cells.along_m[bad], cells.area_m2[bad], lat[bad], lon[bad],
                np.where(lost >= 0, len(Sight) + lost, sight), across, seen.gsd_m[bad],
            )
        )  # fmt: skip

    def _beside(self, cells: BandCells, bad: Ints, views: Views) -> tuple[Ints, Floats]:
        """What each unseen cell lies beside, judged once for each place along the line.

        The number of the lost stretch, -1 where somebody flies; and the distance from the nearest watched leg, metres.
        """
        columns, first, back = np.unique(cells.column[bad], return_index=True, return_inverse=True)
        plane, points = cells.plane, np.asarray(shapely.points(cells.xy[bad[first]]))
        flown = _distance(_flown(plane, views), points)[1]
        about = _about(self._boxes, plane)
        drawn = {k: _drawn(plane, self._lost[k].lat_deg, self._lost[k].lon_deg) for k in about}
        near = {k: line for k, line in drawn.items() if line is not None}
        which, away = _distance(list(near.values()), points)
        out = np.full(len(columns), -1, dtype=np.int64)
        nearer = np.isfinite(away) & (away <= flown + 1.0)
        out[nearer] = np.array(list(near), dtype=np.int64)[which[nearer]]
        return out[back], flown[back]

    def coverage(self, limit_m: float) -> Coverage:
        """The sum."""
        area, gsd = np.concatenate(self._areas), np.concatenate(self._gsds)
        whole = float(area.sum())
        steps = [*(step for step in _GSD_STEPS_M if step < limit_m - 1e-9), limit_m]
        shares = tuple(GsdShare(step, float(area[gsd <= step * (1 + 1e-9)].sum()) / whole) for step in steps)
        first = max((k for k, share in enumerate(shares) if share.share <= 0), default=0)
        unseen = float(sum(u.area_m2.sum() for u in self._unseen))
        return Coverage(whole, whole - unseen, tuple(self._listed()), shares[first:], self._step_m)

    def _listed(self) -> list[Uncovered]:
        """Unseen cells of one reason that lie together along the line, as one entry each."""
        found: list[Uncovered] = []
        for name, start, stop in zip(self._names, [0, *self._ends], self._ends, strict=False):
            if stop > start:
                found += self._listed_of(name, self._unseen[start:stop])
        return found

    def _listed_of(self, name: str, unseen: list[_Unseen]) -> list[Uncovered]:
        """The entries of one line, along it."""
        every = _Unseen(*(np.concatenate([getattr(u, field) for u in unseen]) for field in _Unseen.__slots__))
        order = np.lexsort((every.column, every.reason))
        column, reason = every.column[order], every.reason[order]
        cuts = np.flatnonzero((np.diff(reason) != 0) | (np.diff(column) > 1 + _GAP_COLUMNS)) + 1
        found = [self._entry(name, every, own) for own in np.split(order, cuts)]
        return sorted(found, key=lambda u: (u.from_m, u.to_m))

    def _entry(self, name: str, every: _Unseen, own: Ints) -> Uncovered:
        along, code = every.along_m[own], int(every.reason[own[0]])
        if code >= len(Sight):
            reason = self._lost[code - len(Sight)].reason
        else:
            finite = own[np.isfinite(every.across_m[own])]
            across = float(np.median(np.abs(every.across_m[finite]))) if len(finite) else 0.0
            lack = self._lack(every, own) if code == Sight.UNKNOWN else ""
            reason = _REASONS[code].format(across=across, gsd=float(every.gsd_m[own].min()), lack=lack)
        middle = own[int(np.argmin(np.abs(along - np.median(along))))]
        place = float(every.lat_deg[middle]), float(every.lon_deg[middle])
        half = self._step_m / 2
        return Uncovered(
            max(0.0, float(along.min()) - half),
            float(along.max()) + half,
            float(every.area_m2[own].sum()),
            *place,
            reason,
            name,
        )

    def _lack(self, every: _Unseen, own: Ints) -> str:
        """What the terrain lacks at some cells, or before them."""
        lat, lon = every.lat_deg[own], every.lon_deg[own]
        first = int(np.argmax(np.isnan(self._terrain.known_elevation_m(lat, lon))))
        return self._terrain.lack(float(lat[first]), float(lon[first]))


@dataclass(frozen=True, slots=True)
class _Unseen:
    """Cells that nobody sees; `reason` is a value of `Sight`, `_OUT_OF_RANGE`, or beyond those a lost stretch."""

    column: Ints
    along_m: Floats
    area_m2: Floats
    lat_deg: Floats
    lon_deg: Floats
    reason: Ints
    across_m: Floats
    gsd_m: Floats


def _shown(seen: Seen, bad: Ints) -> Ints:
    """How well unseen cells are seen at best; whether a bend leaves them beside one view or all is one reason."""
    sight = seen.sight[bad]
    return np.where(sight == Sight.BESIDE, int(Sight.NONE), sight)


def _boxes(lost: Sequence[Lost]) -> Floats:
    """The middle of each stretch, latitude and longitude, and how far it reaches from there, degrees, shape (n, 4)."""
    ends = [(v.min(), v.max()) for one in lost for v in (one.lat_deg, one.lon_deg)]
    low, high = np.array(ends, dtype=float).reshape(-1, 2, 2).transpose(2, 0, 1)
    return np.concatenate([(low + high) / 2, (high - low) / 2], axis=1)


def _about(boxes: Floats, plane: Plane) -> list[int]:
    """Numbers of the stretches that may have a vertex within `_FAR_DEG` of the middle of a plane."""
    away = np.abs(boxes[:, :2] - (plane.frame.lat_deg, plane.frame.lon_deg))
    away[:, 1] = np.abs(shorter_turn(away[:, 1]))
    return np.flatnonzero((away <= boxes[:, 2:] + _FAR_DEG).all(axis=1)).tolist()


def _drawn(plane: Plane, lat: Floats, lon: Floats) -> shapely.LineString | None:
    """A line in a plane; None where it is too far away to be beside anything there."""
    apart = np.hypot(lat - plane.frame.lat_deg, shorter_turn(lon - plane.frame.lon_deg))
    near = np.flatnonzero(apart < _FAR_DEG)
    if not len(near):
        return None
    part = slice(max(0, int(near[0]) - 1), int(near[-1]) + 2)
    xy = plane.xy(lat[part], lon[part])
    return shapely.LineString(xy if len(xy) > 1 else np.repeat(xy, 2, axis=0))


def _flown(plane: Plane, views: Views) -> list[shapely.LineString]:
    """The watched legs, in a plane."""
    straight = np.isnan(views.turn_rad)
    ends = np.stack([plane.xy(views.lat_deg[straight, k], views.lon_deg[straight, k]) for k in (0, 1)], axis=1)
    return list(np.asarray(shapely.linestrings(ends)))


def _distance(lines: list[shapely.LineString], points: NDArray[np.object_]) -> tuple[Ints, Floats]:
    """Which line is nearest to each point, and how far it is; infinite where there is none."""
    which, away = np.zeros(len(points), dtype=np.int64), np.full(len(points), np.inf)
    if lines:
        (at, line), distance = shapely.STRtree(lines).query_nearest(points, return_distance=True, all_matches=False)
        which[at], away[at] = line, distance
    return which, away
