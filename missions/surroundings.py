"""What lies around a place: the border and the airspace, cut out and projected on a plane of that place.

A border may be as long as a continent; no plane holds it. Everything that needs metres asks for the surroundings of a
place and gets a plane centred there, exact to the width that it asked for.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely import Geometry, LineString

from geo import densify, locate
from missions.airspace import Airspace, Zone
from missions.beyond import WALL_M, beyond, closing_m, direction
from missions.border import BorderSegment
from missions.clearance import Clearance
from missions.contested import Contested
from missions.far_ground import Flank, far_ground, is_torn
from missions.network import Branch
from missions.plane import Chart, Plane
from missions.widened import widened

__all__ = ["DenseLine", "Region", "Surroundings", "rough_distance_m"]

Floats = NDArray[np.float64]

_EARTH_M = 6_371_000.0
_STEP_M = 500.0
_PLANE_M = 100_000.0
"""How far from its middle lengths in a plane are true enough, metres."""
_TIE_M = 0.01
"""Lines whose distances from a place differ by less are equally near."""

_ABOUT_M = 0.5
"""How far from where lines touch it is seen which of them turns most to a place."""

_WALL_ROOM_M = 20.0
"""Nobody comes nearer to the straight continuation of the border, nor than the margin: a fence has to fit between."""

_FAR_M = 1e7
"""A way on that is longer than any region, metres."""

_END = 0.5
"""How much of the stand-off the last piece of a line is long by which its end is told at least."""

_FLANK_M = 20.0
"""How far apart places of a border are of which it is asked whose the ground is that they are nearest to, metres."""

_APART_M = 10.0
"""How far ways keep from ground that is beyond the border by its nearest stretch, metres: it is known to less."""

_WAY_ON_M = 200_000.0
"""How far from its ends a border is looked for that comes back to where these go on, metres."""

_ROUNDING_M = 0.5
"""More than the stand-off: rounding of coordinates and of arcs must not eat into it."""


@dataclass(frozen=True)
class DenseLine:
    """A line with so many vertices that any stretch of it can be cut out.

    Parameters
    ----------
    lat, lon
        Vertices, degrees, shape (n,); longitudes run on across the antimeridian.
    is_ring
        Whether it closes on itself.
    """

    lat: Floats
    lon: Floats
    is_ring: bool

    @classmethod
    def of(cls, line: BorderSegment | Branch) -> DenseLine:
        """The vertices of a line, and more between them; of the lines asked for last they are kept."""
        return _dense(line)

    @cached_property
    def unit(self) -> Floats:
        """The vertices as unit vectors, shape (n, 3)."""
        return _unit_vectors(self.lat, self.lon)


@lru_cache(maxsize=32)
def _dense(line: BorderSegment | Branch) -> DenseLine:
    # Every sortie that is written for an app asks for the surroundings of its plan, and so for the same lines.
    lon, lat = line.unwrapped().T
    return DenseLine(*densify(lat, lon, _STEP_M), isinstance(line, BorderSegment) and line.is_ring)


@dataclass(frozen=True)
class Region:
    """The surroundings of one place.

    Parameters
    ----------
    plane
        East and north of the place, metres.
    border
        Every run of the border within the radius, metres, each of shape (n, 2).
    wall
        The same with its straight continuation where the border ends here: no way may cross it.
    keep_out
        Areas that no way may enter: what is nearer to the border than stand-off, margin and room of the fence, one
        geometry a run.
    zones
        Blocking zones within the radius, as polygons, grown by the margin, with their names.
    flanks
        The runs of the border once more, with their sides: where lines and walls alone do not say whose all ground is.
    radius_m
        The radius, metres.
    """

    plane: Plane
    border: tuple[Floats, ...]
    wall: tuple[Floats, ...]
    keep_out: tuple[Geometry, ...]
    zones: tuple[tuple[str, Geometry], ...]
    flanks: tuple[Flank, ...] = ()
    radius_m: float = 0.0

    @cached_property
    def beyond(self) -> Geometry:
        """Ground that is beyond the border by its nearest stretch, in a region where walls do not tell; else none."""
        return far_ground(self.flanks, self.radius_m, _FLANK_M)

    @cached_property
    def far(self) -> tuple[Geometry, ...]:
        """The same ground, grown by what ways keep from it: one geometry, or none."""
        return () if shapely.is_empty(self.beyond) else (shapely.buffer(self.beyond, _APART_M, quad_segs=2),)

    @property
    def obstacles(self) -> list[Geometry]:
        """All that a way must not enter."""
        return [*self.keep_out, *self.far, *(shape for _, shape in self.zones)]


class Surroundings:
    """Cuts regions out of borders and their airspace.

    Parameters
    ----------
    borders
        The border, or all of them where several lines bound the own country.
    airspace
        Zones beside them.
    blocking
        Those of its zones that block the heights of this plan.
    zone_margin_m
        How far to keep from a zone, metres.
    clearance
        What who flies keeps beyond the stand-off.
    fence_m
        What ways keep more than that for their fence, metres.
    """

    def __init__(
        self,
        borders: BorderSegment | Sequence[BorderSegment],
        airspace: Airspace,
        blocking: tuple[Zone, ...],
        zone_margin_m: float,
        clearance: Clearance,
        *,
        fence_m: float = 0.0,
    ) -> None:
        self.borders = (borders,) if isinstance(borders, BorderSegment) else tuple(borders)
        self.airspace, self._blocking, self.zone_margin_m = airspace, blocking, zone_margin_m
        self.clearance, self.fence_m = clearance, fence_m
        self.lines = tuple(DenseLine.of(border) for border in self.borders)
        self._zone_rings = [np.array(zone.outline()) for zone in blocking]
        # A zone is near where any of its vertices, or the border's sphere around its middle, is.
        self._zone_units = [_unit_vectors(ring[:, 1], ring[:, 0]) for ring in self._zone_rings]

    def distance_m(self, lat_deg: float, lon_deg: float) -> float:
        """How far the border is from a place, metres; from far away over a sphere, to a few parts in a thousand."""
        away = [self._away(line.unit, lat_deg, lon_deg) for line in self.lines]
        least = min(float(one.min()) for one in away)
        if least > _PLANE_M:
            return least
        plane, here = Plane.at(lat_deg, lon_deg), shapely.Point(0.0, 0.0)
        near = [k for k, one in enumerate(away) if float(one.min()) <= least + _STEP_M]
        return min(float(shapely.distance(self._edges(plane, self.lines[k], away[k]), here)) for k in near)

    @property
    def shut(self) -> Hashable:
        """What of these surroundings, beside their borders, says what is shut: equal where the same is."""
        return self.clearance, self.fence_m, self.zone_margin_m, self._blocking

    @cached_property
    def contested(self) -> Contested:
        """The ground of which its borders do not agree whose it is."""
        return Contested(self.borders)

    @cached_property
    def _is_torn(self) -> bool:
        """Whether its borders and their walls alone do not say of all ground whose it is."""
        chart = Chart(*self.borders[0].centre())
        near_m = closing_m(min(segment.stand_off_m for segment in self.borders))
        return is_torn([chart.line(segment.unwrapped()) for segment in self.borders], near_m, _WAY_ON_M)

    def region(self, lat_deg: float, lon_deg: float, radius_m: float) -> Region:
        """The surroundings of a place, degrees, out to a radius, metres."""
        plane = Plane.at(lat_deg, lon_deg)
        flanks: list[Flank] = []
        border: list[Floats] = []
        wall: list[Floats] = []
        keep_out: list[Geometry] = []
        for segment, dense, ends in zip(self.borders, self.lines, self._walls, strict=True):
            within = self._away(dense.unit, lat_deg, lon_deg) <= radius_m + _STEP_M
            for first, last in _runs(within):
                # One vertex more at each side: the edge that enters the circle belongs to it.
                first, last = max(0, first - 1), min(len(within) - 1, last + 1)  # noqa: PLW2901 - the run, widened
                if last == first:
                    continue
                line = plane.xy(dense.lat[first : last + 1], dense.lon[first : last + 1])
                border.append(line)
                if self._is_torn:
                    own = bool(ends) and first == 0, bool(ends) and last == len(within) - 1
                    flanks.append(Flank(line, segment.own_side.sign, *own))
                before = [plane.xy(*ends[0])[None]] if ends and first == 0 else []
                after = [plane.xy(*ends[1])[None]] if ends and last == len(within) - 1 else []
                whole = np.concatenate([*before, line, *after])
                wall.append(whole)
                beyond_m = self.clearance.margin_m + self.fence_m
                beside = LineString(line).simplify(_ROUNDING_M / 4)
                near = widened(beside, segment.stand_off_m + beyond_m + _ROUNDING_M)
                room_m = max(_WALL_ROOM_M, beyond_m)
                # What is shut beside the border itself holds the room beside it, but for a small stand-off.
                held = segment.stand_off_m + beyond_m >= room_m
                past = [whole[:2]] * len(before) + [whole[-2:]] * len(after)
                shut = [LineString(one) for one in (past if held else [whole])]
                keep_out.append(shapely.union_all([near, *(widened(one, room_m, quad_segs=4) for one in shut)]))
        zones = []
        for zone, ring, units in zip(self._blocking, self._zone_rings, self._zone_units, strict=True):
            reach = float(self._away(units, lat_deg, lon_deg).min())
            size = float(np.ptp(ring, axis=0).max()) * 111_000.0
            if reach <= radius_m + size + self.zone_margin_m:
                zones.append((zone.name, shapely.buffer(zone.polygon(plane), self.zone_margin_m, quad_segs=4)))
        return Region(plane, tuple(border), tuple(wall), tuple(keep_out), tuple(zones), tuple(flanks), radius_m)

    def own_side(self, lat_deg: float, lon_deg: float) -> bool:
        """Whether a place lies on the own side: by the nearest stretch of the border, or in the ring of an enclave.

        Of lines that are as near as each other, as where they touch, that one tells which the place lies beside.
        """
        away = [self._away(line.unit, lat_deg, lon_deg) for line in self.lines]
        least = min(float(one.min()) for one in away)
        near = [k for k, one in enumerate(away) if float(one.min()) <= least + _STEP_M]
        if len(near) > 1:
            # Vertices stand too far apart to say which line is the nearest.
            plane = Plane.at(lat_deg, lon_deg)
            shapes = [self._edges(plane, self.lines[k], away[k]) for k in near]
            here = shapely.Point(0.0, 0.0)
            exact = np.asarray(shapely.distance(shapes, here))
            corner = shapely.shortest_line(shapes[int(exact.argmin())], here).interpolate(0.0)
            # Where several touch, whose edge turns most to the place bounds the ground that it lies on.
            about = shapely.buffer(corner, _ABOUT_M).exterior
            turned = [shapely.distance(shapely.intersection(shape, about), here) for shape in shapes]
            tied = np.flatnonzero(exact <= exact.min() + _TIE_M).tolist()
            near = [near[min(tied, key=lambda k: turned[k])]]
        return self._told(near[0], away[near[0]], lat_deg, lon_deg)

    def _edges(self, plane: Plane, dense: DenseLine, away: Floats) -> Geometry:
        """What of a line may be the nearest of it to the middle of a plane, metres."""
        runs = [(max(0, a - 1), b + 2) for a, b in _runs(away <= away.min() + _STEP_M)]
        return shapely.union_all([LineString(plane.xy(dense.lat[a:b], dense.lon[a:b])) for a, b in runs])

    def _told(self, number: int, away: Floats, lat_deg: float, lon_deg: float) -> bool:
        """Whether a place lies on the own side of a line."""
        segment, dense = self.borders[number], self.lines[number]
        sign = segment.own_side.sign
        if dense.is_ring:
            plane = Plane.at(*segment.centre())
            ring = plane.xy(dense.lat, dense.lon)
            inside = bool(shapely.contains_xy(shapely.polygons(ring), *plane.xy(lat_deg, lon_deg)))
            return inside == ((sign > 0) == shapely.is_ccw(shapely.linearrings(ring)))
        centre = int(away.argmin())
        first, last = max(0, centre - 200), min(len(dense.lat) - 1, centre + 200)
        plane = Plane.at(lat_deg, lon_deg)
        line = plane.xy(dense.lat[first : last + 1], dense.lon[first : last + 1])
        here = locate(line, np.zeros(2))
        if here.beyond[0]:
            # Only past an end the side is that of the border as it goes on, however far: what is there stands first.
            turned = 1 if here.along_m[0] <= 0 else -1
            way = line[::turned]
            past = way[0] + _FAR_M * direction(way)
            # The last steps of a track go anywhere: the end is told by what is a part of the stand-off away from it.
            off = np.flatnonzero(np.hypot(*(way - way[0]).T) > segment.stand_off_m * _END)
            end = np.array([past, way[0], way[off[0] if len(off) else -1]])
            return bool(locate(end, np.zeros(2)).offset_m[0] * turned * sign > 0)
        return bool(here.offset_m[0] * sign > 0)

    @cached_property
    def _walls(self) -> tuple[tuple[tuple[float, float], tuple[float, float]] | None, ...]:
        """Where the wall beyond each end of each border ends, degrees; None for rings, which have no end."""
        return tuple(
            None if dense.is_ring else (self._wall(number, at_end=False), self._wall(number, at_end=True))
            for number, dense in enumerate(self.lines)
        )

    def _wall(self, number: int, *, at_end: bool) -> tuple[float, float]:
        own = self.lines[number]
        place = -1 if at_end else 0
        plane = Plane.at(float(own.lat[place]), float(own.lon[place]))
        line, others = np.zeros((0, 2)), []
        for k, dense in enumerate(self.lines):
            within = self._away(dense.unit, plane.frame.lat_deg, plane.frame.lon_deg) <= WALL_M + 4 * _STEP_M
            for first, last in _runs(within):
                first, last = max(0, first - 1), min(len(within) - 1, last + 1)  # noqa: PLW2901 - the run, widened
                run = plane.xy(dense.lat[first : last + 1], dense.lon[first : last + 1])
                if k == number and (last == len(within) - 1 if at_end else first == 0):
                    line = run[::-1] if at_end else run
                else:
                    others.append(run)
        near_m = closing_m(min(segment.stand_off_m for segment in self.borders))
        lat, lon = plane.lat_lon_near(beyond(line, others, near_m), float(own.lon[place]))
        return float(lat), float(lon)

    def _away(self, units: Floats, lat_deg: float, lon_deg: float) -> Floats:
        """Distances over the sphere, metres."""
        chord = np.linalg.norm(units - _unit_vectors(lat_deg, lon_deg), axis=-1)
        return np.asarray(2 * _EARTH_M * np.arcsin(np.minimum(chord / 2, 1.0)))


def rough_distance_m(lat_deg: float, lon_deg: float, lat: ArrayLike, lon: ArrayLike) -> Floats:
    """Distances from a place to points, degrees, over a sphere, metres: within 0.6 % of the true ones, and fast."""
    chord = np.linalg.norm(_unit_vectors(lat, lon) - _unit_vectors(lat_deg, lon_deg), axis=-1)
    return np.asarray(2 * _EARTH_M * np.arcsin(np.minimum(chord / 2, 1.0)))


def _unit_vectors(lat_deg: ArrayLike, lon_deg: ArrayLike) -> Floats:
    lat, lon = np.radians(lat_deg), np.radians(lon_deg)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def _runs(near: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last index of every run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], near, [False]]).astype(int)))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]
