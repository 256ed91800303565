"""What of a border lies nearest to places of the course beside it.

Where a border winds the course beside it is shorter than it: shares of the two lengths say nothing of what lies beside
what.
"""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
import scipy
from numpy.typing import NDArray

from geo import densify, wrap_longitudes
from missions.border import BorderSegment
from missions.course import Course, distances_m
from missions.network import Branch
from missions.surroundings import DenseLine

__all__ = ["feet_beside", "feet_of"]

Floats = NDArray[np.float64]

_EVERY_M, _MOST = 100.0, 20_000
"""How far apart places of a course are looked at, metres, and how many at most."""
_DENSE_M, _MOST_DENSE = 50.0, 200_000
_SEAM_M = 1e-9


def feet_of(border: BorderSegment, course: Course) -> Floats:
    """Metres along a course, rising, and along its border the place that lies nearest, shape (2, n).

    The second row rises too: what lies nearer of another arm of the border is passed over. Of a ring it goes back to 0
    once, where the border begins.
    """
    at, near = _rising_feet(border, course.along_m, course.lat_deg, course.lon_deg)
    whole_m = border.length_m()
    if not border.is_ring or near[-1] <= whole_m:
        return np.stack([at, near])
    seam = float(np.interp(whole_m, near, at))
    before = at < seam
    return np.stack(
        [
            np.concatenate([at[before], [seam, seam + _SEAM_M], at[~before] + 2 * _SEAM_M]),
            np.concatenate([near[before], [whole_m, 0.0], near[~before] - whole_m]),
        ]
    )


def feet_beside(line: BorderSegment | Branch, along_m: Floats, lat: Floats, lon: Floats) -> Floats:
    """The same of a flight line that runs beside a whole line, given by its vertices, degrees, and metres along it.

    That of a ring begins beside where the ring does, to within what lies nearest: it does not go back.
    """
    at, near = _rising_feet(line, along_m, lat, lon)
    whole_m = line.length_m()
    if near[0] > whole_m / 2 and DenseLine.of(line).is_ring:
        near = near - whole_m
    return np.stack([at, np.clip(near, 0.0, whole_m)])


def _rising_feet(line: BorderSegment | Branch, along_m: Floats, lat: Floats, lon: Floats) -> tuple[Floats, Floats]:
    """Places along a way, metres, and what of a line is nearest to each, metres along it; of a ring more goes on."""
    length_m, whole_m = float(along_m[-1]), line.length_m()
    every = np.arange(0.0, length_m, max(_EVERY_M, length_m / _MOST))
    at = np.unique(np.concatenate([every, along_m]))
    near = _nearest_m(line, np.interp(at, along_m, lat), np.interp(at, along_m, lon), whole_m)
    if DenseLine.of(line).is_ring:
        # As far from where the way begins as its share of the length is from nothing, give or take half a round.
        expected = near[0] + at / length_m * whole_m
        near = expected + (near - expected + whole_m / 2) % whole_m - whole_m / 2
    kept = _rising(near)
    return at, np.interp(at, at[kept], near[kept])


def _nearest_m(border: BorderSegment | Branch, lat: Floats, lon: Floats, whole_m: float) -> Floats:
    """Metres along a border of what lies nearest to places, degrees, shape (n,)."""
    own_lon, own_lat = border.unwrapped().T
    dense = densify(own_lat, own_lon, max(_DENSE_M, whole_m / _MOST_DENSE))
    along = distances_m(*dense)
    line, places = _units(*dense), _units(lat, lon)
    nearest = np.asarray(scipy.spatial.cKDTree(line).query(places)[1])
    found, away = np.zeros(len(lat)), np.full(len(lat), np.inf)
    for first in (nearest - 1, nearest):
        a = np.clip(first, 0, len(line) - 2)
        step = line[a + 1] - line[a]
        share = np.einsum("nk,nk->n", places - line[a], step) / np.maximum(np.einsum("nk,nk->n", step, step), 1e-30)
        share = np.clip(share, 0.0, 1.0)
        off = np.linalg.norm(line[a] + share[:, None] * step - places, axis=1)
        own = off < away
        found[own], away[own] = (along[a] + share * (along[a + 1] - along[a]))[own], off[own]
    return np.asarray(found * whole_m / along[-1])


def _units(lat: Floats, lon: Floats) -> Floats:
    """Unit vectors of places, degrees, shape (n, 3)."""
    a, o = np.radians(lat), np.radians(wrap_longitudes(lon))
    return np.stack([np.cos(a) * np.cos(o), np.cos(a) * np.sin(o), np.sin(a)], axis=-1)


def _rising(values: Floats) -> NDArray[np.int64]:
    """Numbers of as many values as there can be of which none is less than the one before (Schensted 1961)."""
    tops: list[float] = []
    last: list[int] = []
    before = np.full(len(values), -1, dtype=np.int64)
    for k, value in enumerate(values.tolist()):
        place = bisect_right(tops, value)
        before[k] = last[place - 1] if place else -1
        tops[place : place + 1], last[place : place + 1] = [value], [k]
    chain = []
    k = last[-1]
    while k >= 0:
        chain.append(k)
        k = int(before[k])
    return np.array(chain[::-1])
