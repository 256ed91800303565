"""Ways round what cuts a flight line: the shortest lawful one, for wings with the turns out of the patrol and back.

Wings that leave the flight line at a corner are flown wide, into the zone that they are led round, and where they come
back to it towards the border. So they leave it along an arc and come back along one, and what is watched ends sooner
where those take room.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo import geodesic_distance_m
from missions.course import Gap, gap_for
from missions.joining import Room
from missions.routing import Passage, Router
from missions.surroundings import Region, Surroundings
from missions.wide_turns import Berth, turned_between

__all__ = ["TAKES_ROOM", "Detour", "detours"]

Floats = NDArray[np.float64]

TAKES_ROOM = "wings need room there to turn"

_WIDENED = 4
"""How often the surroundings of a gap are doubled for a way round it that leaves them."""

_SOONER = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)
"""How much sooner than at the gap wings leave the flight line, and later they come back, in turn radii."""

_HALVINGS = 3
"""How often it is tried at each end whether midway between too little and enough does, after none at all."""

_SEARCHED = 1.0
"""As much where other curves are searched for, when arcs do not do."""

_CLOSE = 8.0
"""Gaps nearer to each other than this, in turn radii, may be flown round at once."""

_DIRECTION_M = 1.0


@dataclass(frozen=True, slots=True)
class Detour:
    """From where to where on the line a gap is flown round, and the way there, degrees; None where there is none."""

    gap: Gap
    way: tuple[Floats, Floats] | None


class _About(NamedTuple):
    """What lies about a gap: router, and what wide turns have to clear; and the shortest way across the gap."""

    region: Region
    router: Router
    berth: Berth
    way: Floats

    def holds(self, way: Floats) -> bool:
        """Whether a way, metres, lies within the region: the border past its edge is not known, and it may cross it."""
        return float(np.hypot(*way.T).max()) <= self.region.radius_m


def detours(
    around: Surroundings,
    line: tuple[Floats, Floats, Floats],
    gaps: Sequence[Gap],
    bounds_m: tuple[float, float],
    *,
    turn_radius_m: float,
    shortest_m: float,
) -> list[Detour]:
    """The ways round the gaps of a flight line.

    Parameters
    ----------
    around
        Border and airspace.
    line
        Latitude and longitude, degrees, of the vertices of the flight line, and how far along it they are, metres.
    gaps
        What is cut out, in order.
    bounds_m
        From where to where on the line it is flown, metres.
    turn_radius_m
        Radius of the turns; 0 for what turns on the spot.
    shortest_m
        How much of the line is left at least between two of them, metres.

    Returns
    -------
    list of Detour
        Gaps are wider where turns take room for them, and their reason says so. Two close to each other are one where
        wings cannot turn between them. Where there is no way that wings can turn on a gap is as it was.
    """
    made: list[Detour] = []
    for k, gap in enumerate(gaps):
        onward_m = gaps[k + 1].from_m if k + 1 < len(gaps) else bounds_m[1]
        begun_m = made[-1].gap.to_m if made else bounds_m[0]
        own = begun_m + shortest_m, onward_m - shortest_m
        found = _detour(around, line, gap, own, turn_radius_m)
        close = made and gap.from_m - made[-1].gap.to_m < _CLOSE * turn_radius_m
        if close and (found.way is None or made[-1].way is None):
            # What lies between them is given up where both are flown round at once.
            before = made[-2].gap.to_m if len(made) > 1 else bounds_m[0]
            both = _widened(made[-1].gap.from_m, gap.to_m, *made[-1].gap.reasons, *gap.reasons)
            whole = _detour(around, line, both, (before + shortest_m, own[1]), turn_radius_m)
            if whole.way is not None:
                made[-1:] = [whole]
                continue
        made.append(found)
    return made


def _detour(
    around: Surroundings, line: tuple[Floats, Floats, Floats], gap: Gap, bounds_m: tuple[float, float], radius_m: float
) -> Detour:
    """The way round one gap, which may be widened to some places along the line, metres."""
    ends = np.array([gap.from_m, gap.to_m])
    lat, lon = (np.interp(ends, line[2], values) for values in line[:2])
    about = _about(around, lat, lon, gap.to_m - gap.from_m)
    if about is None:
        return Detour(gap, None)
    way = about.way
    if radius_m > 0:
        bounds = min(bounds_m[0], gap.from_m), max(bounds_m[1], gap.to_m)
        found = _with_turns(about, line, (gap.from_m, gap.to_m), bounds, radius_m)
        if found is None:
            return Detour(gap, None)
        ends, way = found
        if (ends != (gap.from_m, gap.to_m)).any():
            gap = _widened(float(ends[0]), float(ends[1]), *gap.reasons, TAKES_ROOM)
        lat, lon = (np.interp(ends, line[2], values) for values in line[:2])
    way_lat, way_lon = about.region.plane.lat_lon_near(way, float(lon[0]))
    # With its ends just as they are on the line.
    way_lat[[0, -1]], way_lon[[0, -1]] = lat, lon
    return Detour(gap, (way_lat, way_lon))


def _widened(from_m: float, to_m: float, *reasons: str) -> Gap:
    """A gap for some reasons, that wings need room at the end."""
    return gap_for(sorted(reasons, key=lambda one: one == TAKES_ROOM), from_m, to_m)


def _about(around: Surroundings, lat: Floats, lon: Floats, length_m: float) -> _About | None:
    """The surroundings of a gap with ends, degrees, that hold the shortest lawful way across it; None without one."""
    middle = float(lat[0] + lat[1]) / 2, float(lon[0] + lon[1]) / 2
    span = float(geodesic_distance_m(lat[0], lon[0], lat[1], lon[1]))
    # Room for a way round a zone as deep as the gap is wide.
    radius = 2 * max(span, length_m) + 5000.0
    for _ in range(_WIDENED):
        region = around.region(*middle, radius)
        start, stop = region.plane.xy(lat, lon)
        router = Router(region.obstacles)
        lengths, ways = router.ways(start, stop[None])
        if not np.isfinite(lengths[0]):
            return None
        about = _About(region, router, Berth(region, around.zone_margin_m), ways[0])
        if about.holds(ways[0]):
            return about
        radius *= 2
    return None


def _with_turns(
    about: _About,
    line: tuple[Floats, Floats, Floats],
    gap_m: tuple[float, float],
    bounds_m: tuple[float, float],
    turn_radius_m: float,
) -> tuple[Floats, Floats] | None:
    """Between which places along the line, metres, and by which way wings fly round a gap; None where they cannot."""
    room = Room(turn_radius_m, Passage(about.router))

    def flown(sooner: tuple[float, float], *, search: bool = False) -> tuple[Floats, Floats] | None:
        low = max(gap_m[0] - sooner[0] * turn_radius_m, bounds_m[0])
        high = min(gap_m[1] + sooner[1] * turn_radius_m, bounds_m[1])
        # The places before and after tell the course there.
        at = np.array([low - _DIRECTION_M, low, high, high + _DIRECTION_M])
        before, start, stop, after = about.region.plane.xy(*(np.interp(at, line[2], values) for values in line[:2]))
        way = room.open_to.route(start, stop)
        if way is None or not about.holds(way):
            return None
        first, last = (step / np.hypot(*step) for step in (start - before, after - stop))
        turned = turned_between(way, (first, last), room, about.berth, search=search)
        return (np.array([low, high]), turned) if turned is not None and about.holds(turned) else None

    found = next(((one, sooner) for sooner in _SOONER if (one := flown((sooner, sooner))) is not None), None)
    if found is None:
        return flown((_SEARCHED, _SEARCHED), search=True)
    best, sooner = found
    ends = [sooner, sooner]
    # As little as may be at each end by itself.
    for end in (0, 1) if sooner > 0 else ():
        low = 0.0
        for number in range(_HALVINGS + 1):
            ask = (low + ends[end]) / 2 if number else 0.0
            other = flown((ask, ends[1]) if end == 0 else (ends[0], ask))
            if other is None:
                low = ask
            else:
                best, ends[end] = other, ask
            if ends[end] == 0:
                break
    return best
