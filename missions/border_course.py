"""The course beside a border, however long, with the detours round what blocks it.

The flight line is made piece by piece, each in a plane of its own, and joined; what comes too near to a far bend of
the border or into a blocked zone is cut out, and the pieces are joined again by the shortest lawful way. That of a ring
is opened at one place, where no sortie goes on: which place is best depends on the bases, and there are some to choose
from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Geometry, LineString

from geo import densify
from missions.border import Side
from missions.course import Course, CourseLine, Gap, distances_m, gap_for
from missions.detours import Detour, detours
from missions.errors import PlanError
from missions.feet import feet_of
from missions.figures import length_told
from missions.fleet import Base
from missions.flightline import FlightLine, flight_line
from missions.plane import Plane
from missions.surroundings import DenseLine, Surroundings, rough_distance_m

__all__ = ["BENDS_BACK", "SHORTEST_PIECE_M", "blocked", "border_courses", "whole_line"]

Floats = NDArray[np.float64]

_CHUNK_M, _OVERLAP_M = 80_000.0, 8_000.0
_MOST_TOLD = 3
_LARGEST_RING_M = 400_000.0
_OFF_M, _INSIDE_M = 3.0, 1e-4
_OPENED_M = 200.0
"""A ring is opened to within half of this of where it would be best, metres."""
BENDS_BACK = "the border bends back to within the stand-off of it"
_FARTHER = "by the nearest stretch of the border it lies on the far side"
SHORTEST_PIECE_M = 100.0
"""A watched piece between two gaps that is shorter than this is not worth a turn of the camera, metres."""


def border_courses(
    surroundings: Surroundings, lateral_m: float, turn_radius_m: float = 0.0, bases: Sequence[Base] = ()
) -> tuple[Course, ...]:
    """The courses beside a border: one, and of a ring as many as there are places to open it at.

    Parameters
    ----------
    surroundings
        The border and its airspace.
    lateral_m
        Distance of the flight line from the border, metres.
    turn_radius_m
        Least radius of its bends, metres, for aircraft that cannot turn on the spot; at most `lateral_m`.
    bases
        Where who flies takes off. A ring is opened where its line begins, next to the first base, and, of several,
        midway between the two neighbours that lie farthest apart along it.

    Raises
    ------
    PlanError
        When the border leaves no room for a flight line on its own side; where it crosses itself, so that its sides
        change places, the message says so.
    """
    border, dense = surroundings.borders[0], surroundings.lines[0]
    lat, lon = _line_beside(surroundings, lateral_m, turn_radius_m)
    openings = [0.0, *_openings(lat, lon, bases)] if dense.is_ring else [0.0]
    made = []
    for opened_m in openings:
        line = _opened(lat, lon, opened_m)
        gaps = blocked(surroundings, *line, BENDS_BACK)
        course = _with_detours(surroundings, *line, gaps, turn_radius_m)
        feet_m = feet_of(border, course)
        # Just within each leg: a vertex may be where a ring begins.
        within_m = np.minimum(_INSIDE_M, np.diff(course.along_m) / 4)
        begin_m = np.interp(course.along_m[:-1] + within_m, *feet_m)
        end_m = np.interp(course.along_m[1:] - within_m, *feet_m)
        # Of a leg past where a ring begins the half counts that holds its middle.
        whole_m = border.length_m()
        past, beyond = begin_m - end_m > whole_m / 2, begin_m + end_m >= whole_m
        begin_m, end_m = np.where(past & beyond, 0.0, begin_m), np.where(past & ~beyond, whole_m, end_m)
        made.append(
            replace(
                course,
                look=course.look * border.own_side.other.sign,
                line_m=np.stack([begin_m, end_m], axis=1),
                lines=(CourseLine(border.name),),
                feet_m=feet_m,
            )
        )
    return tuple(made)


def _line_beside(surroundings: Surroundings, lateral_m: float, turn_radius_m: float) -> tuple[Floats, Floats]:
    """The flight line, of which it is not looked yet what blocks it."""
    border = surroundings.borders[0]
    try:
        return whole_line(surroundings.lines[0], border.own_side, lateral_m, turn_radius_m)
    except PlanError as error:
        crossings = border.self_crossings()
        if not crossings:
            raise PlanError(f"border {border.name!r}, {length_told(border.length_m())} long: {error}") from error
        at = ", ".join(f"{lat:.5f} {lon:.5f}" for lat, lon in crossings[:_MOST_TOLD])
        more = f" and {len(crossings) - _MOST_TOLD} more places" if len(crossings) > _MOST_TOLD else ""
        raise PlanError(
            f"border {border.name!r} crosses itself at {at}{more} (latitude and longitude, degrees): there left and "
            "right change places, and no flight line keeps to the own side: draw the line so that it does not"
        ) from error


def _openings(lat: Floats, lon: Floats, bases: Sequence[Base]) -> list[float]:
    """Where to open a closed line by where bases stand beside it, metres along it from where it begins."""
    dense = densify(lat, lon, _OPENED_M)
    along = distances_m(*dense)
    near = [
        float(along[int(np.argmin(rough_distance_m(base.lat_deg, base.lon_deg, *dense)))])
        for base in dict.fromkeys(bases)
    ]
    found = near[:1]
    if len(set(near)) > 1:
        places = np.unique(near)
        gaps = np.diff(np.append(places, places[0] + along[-1]))
        widest = int(np.argmax(gaps))
        found.append(float((places[widest] + gaps[widest] / 2) % along[-1]))
    # Next to where it begins it is as good to leave it as it is.
    return [at for at in found if _OPENED_M < at < along[-1] - _OPENED_M]


def _opened(lat: Floats, lon: Floats, at_m: float) -> tuple[Floats, Floats]:
    """A closed line that begins, and ends, at a distance along it; with none it is any line, as it is."""
    if at_m <= 0:
        return lat, lon
    along = distances_m(lat, lon)
    before, after = (int(np.searchsorted(along, at_m, side=side)) for side in ("left", "right"))

    def opened(line: Floats) -> Floats:
        here = [np.interp(at_m, along, line)]
        return np.concatenate([here, line[after:], line[1:before], here])

    return opened(lat), opened(lon)


def whole_line(
    around: DenseLine, side: Side, lateral_m: float, turn_radius_m: float, chord_m: float = 1000.0
) -> tuple[Floats, Floats]:
    """Latitudes and longitudes of the flight line beside a line, on one side of it, made in chunks.

    The parameters are those of `flight_line`.

    Raises
    ------
    PlanError
        When there is no room for it.
    """
    at = distances_m(around.lat, around.lon)
    count = max(1, round(at[-1] / _CHUNK_M))
    if count == 1 or around.is_ring:
        plane = Plane.at(*((float(v.min()) + float(v.max())) / 2 for v in (around.lat, around.lon)))
        line_xy = plane.xy(around.lat, around.lon)
        if float(np.ptp(line_xy, axis=0).max()) > _LARGEST_RING_M:
            raise PlanError(f"a line is a ring wider than {_LARGEST_RING_M / 1000:.0f} km: cut it open")
        line = flight_line(line_xy, side, lateral_m, turn_radius_m, chord_m)
        return plane.lat_lon_near(line.points, float(around.lon[0]))
    cuts = np.searchsorted(at, np.linspace(0, at[-1], count + 1)[1:-1])
    first = np.concatenate([[0], cuts])
    last = np.concatenate([cuts, [len(at) - 1]])
    lats: list[Floats] = []
    lons: list[Floats] = []
    joint: tuple[float, float] | None = None
    for number, (a, b) in enumerate(zip(first, last, strict=True)):
        lo = int(np.searchsorted(at, at[a] - _OVERLAP_M))
        hi = min(int(np.searchsorted(at, at[b] + _OVERLAP_M)), len(at) - 1)
        plane = Plane.at(float(around.lat[(a + b) // 2]), float(around.lon[(a + b) // 2]))
        part = plane.xy(around.lat[lo : hi + 1], around.lon[lo : hi + 1])
        line = flight_line(part, side, lateral_m, turn_radius_m, chord_m)
        start = 0.0 if joint is None else _nearest(line, plane.xy(*joint))
        end = line.length_m
        if number < count - 1:
            end = _nearest(line, plane.xy(float(around.lat[b]), float(around.lon[b])))
        if end <= start + 1.0:
            continue
        lat, lon = plane.lat_lon_near(line.between(start, end), float(around.lon[a]))
        joint = (float(lat[-1]), float(lon[-1]))
        # The next piece begins where this one ends, to within the tolerance of both.
        lats.append(lat if not lats else lat[1:])
        lons.append(lon if not lons else lon[1:])
    return np.concatenate(lats), np.concatenate(lons)


def _nearest(line: FlightLine, point: Floats) -> float:
    return float(shapely.line_locate_point(shapely.linestrings(line.points), shapely.points(point)))


def blocked(around: Surroundings, lat: Floats, lon: Floats, too_near: str) -> list[Gap]:
    """Stretches of a flight line that lie in a zone, or within the stand-off of a border: `too_near` says why."""
    found: list[Gap] = []
    along = distances_m(lat, lon)
    count = max(1, round(along[-1] / _CHUNK_M))
    edges = np.linspace(0.0, along[-1], count + 1)
    for a, b in pairwise(edges):
        inner = (along > a) & (along < b)
        at = np.concatenate([[a], along[inner], [b]])
        points = np.interp(at, along, lat), np.interp(at, along, lon)
        middle = float(np.ptp(points[0]) / 2 + points[0].min()), float(np.ptp(points[1]) / 2 + points[1].min())
        region = around.region(*middle, (b - a) / 2 + 2000.0)
        path = region.plane.xy(*points)
        pieces = [LineString(ends) for ends in np.stack([path[:-1], path[1:]], axis=1)]
        tree = shapely.STRtree(pieces)
        distance = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
        scale = (b - a) / distance[-1] if distance[-1] > 0 else 1.0
        # The ends of a gap must lie off what blocks it, not on its edge, for a way to begin there. Beside the border a
        # flight line may run closer than that all along: there only what is cut out is made longer.
        why = [(_wider(shape, around.clearance.bend_m), too_near, _OFF_M) for shape in region.keep_out]
        why += [(shapely.buffer(shape, _OFF_M), _FARTHER, 0.0) for shape in region.far]
        why += [(shapely.buffer(shape, _OFF_M), around.airspace.told(name), 0.0) for name, shape in region.zones]
        for shape, reason, longer in why:
            for k in tree.query(shape, predicate="intersects"):
                part = shapely.intersection(pieces[k], shape)
                for one in shapely.get_parts(part):
                    ends = shapely.line_locate_point(pieces[k], shapely.points(shapely.get_coordinates(one)))
                    low, high = (float(a + (distance[k] + e) * scale) for e in (ends.min(), ends.max()))
                    if high > low:
                        found.append(Gap(max(low - longer, 0.0), min(high + longer, float(along[-1])), reason))
    return [_drawn(gap, lat, lon, along) for gap in _merged(found, float(along[-1]))]


def _wider(shape: Geometry, by_m: float) -> Geometry:
    return shapely.buffer(shape, by_m, quad_segs=16) if by_m > 0 else shape


def _drawn(gap: Gap, lat: Floats, lon: Floats, along: Floats) -> Gap:
    """A gap with its vertices."""
    within = (along > gap.from_m) & (along < gap.to_m)
    at = np.concatenate([[gap.from_m], along[within], [gap.to_m]])
    return replace(
        gap, lat_deg=tuple(np.interp(at, along, lat).tolist()), lon_deg=tuple(np.interp(at, along, lon).tolist())
    )


def _merged(gaps: list[Gap], length_m: float) -> list[Gap]:
    """Overlapping gaps as one; watched pieces too short to be of use belong to the gaps beside them."""
    out: list[Gap] = []
    for gap in sorted(gaps, key=lambda g: (g.from_m, g.to_m)):
        if out and gap.from_m <= out[-1].to_m + SHORTEST_PIECE_M:
            out[-1] = gap_for((*out[-1].reasons, *gap.reasons), out[-1].from_m, max(out[-1].to_m, gap.to_m))
        else:
            out.append(gap)
    if out and out[0].from_m < SHORTEST_PIECE_M:
        out[0] = replace(out[0], from_m=0.0)
    if out and out[-1].to_m > length_m - SHORTEST_PIECE_M:
        out[-1] = replace(out[-1], to_m=length_m)
    return out


def _with_detours(around: Surroundings, lat: Floats, lon: Floats, gaps: list[Gap], turn_radius_m: float) -> Course:
    """The course with every gap replaced by the way round it; gaps at the ends fall away. It looks to the left."""
    along = distances_m(lat, lon)
    if not gaps:
        return _one_line(lat, lon, np.ones(len(lat) - 1, dtype=bool), np.ones(len(lat) - 1, dtype=bool), ())
    kept_from = gaps[0].to_m if gaps[0].from_m <= 0 else 0.0
    kept_to = gaps[-1].from_m if gaps[-1].to_m >= along[-1] else float(along[-1])
    if kept_to <= kept_from:
        raise PlanError(f"no part of the flight line can be flown: {gaps[0].reason}")
    inner = [gap for gap in gaps if gap.from_m > kept_from and gap.to_m < kept_to]
    rounds = detours(
        around,
        (lat, lon, along),
        inner,
        (kept_from, kept_to),
        turn_radius_m=turn_radius_m,
        shortest_m=SHORTEST_PIECE_M,
    )
    lats: list[Floats] = []
    lons: list[Floats] = []
    watched: list[NDArray[np.bool_]] = []
    passable: list[NDArray[np.bool_]] = []
    position = kept_from
    ends: list[tuple[float, Detour | None]] = [*((one.gap.from_m, one) for one in rounds), (kept_to, None)]
    for stop, one in ends:
        within = (along > position + 1e-3) & (along < stop - 1e-3)
        at = np.concatenate([[position], along[within], [stop]])
        lats.append(np.interp(at, along, lat))
        lons.append(np.interp(at, along, lon))
        watched.append(np.ones(len(at) - 1, dtype=bool))
        passable.append(np.ones(len(at) - 1, dtype=bool))
        if one is None:
            break
        way = one.way
        if way is not None:
            lats.append(way[0][1:-1])
            lons.append(way[1][1:-1])
        legs = 1 if way is None else len(way[0]) - 1
        watched.append(np.zeros(legs, dtype=bool))
        passable.append(np.full(legs, way is not None))
        position = one.gap.to_m
    told = [_drawn(one.gap, lat, lon, along) for one in rounds] + [gap for gap in gaps if gap not in inner]
    told.sort(key=lambda gap: gap.from_m)
    new_lat, new_lon = np.concatenate(lats), np.concatenate(lons)
    return _one_line(new_lat, new_lon, np.concatenate(watched), np.concatenate(passable), tuple(told))


def _one_line(
    lat: Floats, lon: Floats, watched: NDArray[np.bool_], passable: NDArray[np.bool_], gaps: tuple[Gap, ...]
) -> Course:
    look = watched.astype(np.int64)
    line_m, feet_m = np.zeros((len(look), 2)), np.zeros((2, 1))
    return Course(lat, lon, distances_m(lat, lon), look, passable, line_m, np.zeros_like(look), (), gaps, feet_m)
