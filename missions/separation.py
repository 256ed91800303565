"""When two sorties may not be in the air together: the differences of their take-off times that bring them too near.

Two sorties flown again and again meet in every phase. What matters is the difference between their take-offs alone, so
it is worked out once for a pair: the intervals of differences for which, at some moment, both are away from a base,
nearer than the separation across and nearer than that in height.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from geo import shorter_turn, unwrap_longitudes
from missions.sortie import Sortie

__all__ = ["NEAR_BASE_M", "Conflicts", "Track"]

Floats = NDArray[np.float64]

NEAR_BASE_M = 60.0
"""Nearer to a base than this aircraft climb and descend one after the other, by the launch interval, metres."""

_SAMPLE_S = 3.0
_METRES_A_DEGREE = 111_320.0


@dataclass(frozen=True)
class Track:
    """A sortie as points in time, away from its base.

    Parameters
    ----------
    time_s
        Seconds after take-off, shape (n,).
    lat_deg, lon_deg
        Where it is, degrees, shape (n,); longitudes run on across the antimeridian.
    low_m, high_m
        Its lowest and highest height AMSL within half a step of each moment, metres, shape (n,).
    speed_m_s
        Its highest ground speed.
    """

    time_s: Floats
    lat_deg: Floats
    lon_deg: Floats
    low_m: Floats
    high_m: Floats
    speed_m_s: float

    @classmethod
    def of(cls, sortie: Sortie) -> Track:
        """The track of a sortie, every few seconds."""
        points = sortie.way
        at = np.concatenate([[0.0], np.cumsum([leg.duration_s for leg in sortie.legs])])
        time = np.arange(0.0, at[-1] + _SAMPLE_S, _SAMPLE_S)
        turned = unwrap_longitudes([p.lon_deg for p in points])
        lat, lon = (np.interp(time, at, v) for v in ([p.lat_deg for p in points], turned))
        around = time[:, None] + np.linspace(-0.5, 0.5, 7) * _SAMPLE_S
        amsl = np.interp(around, at, [p.amsl_m for p in points])
        base = sortie.vehicle.base
        north = (lat - base.lat_deg) * _METRES_A_DEGREE
        east = shorter_turn(lon - base.lon_deg) * _METRES_A_DEGREE * np.cos(np.radians(base.lat_deg))
        speed = max((leg.distance_m / leg.duration_s for leg in sortie.legs if leg.duration_s > 0), default=0.0)
        # Away at any moment within half a step.
        away = np.hypot(north, east) > NEAR_BASE_M - speed * _SAMPLE_S / 2
        return cls(time[away], lat[away], lon[away], amsl.min(axis=1)[away], amsl.max(axis=1)[away], speed)


class Conflicts:
    """Intervals of take-off differences that are forbidden, worked out when first asked for.

    Parameters
    ----------
    sorties
        All sorties of a plan.
    across_m, up_m
        Separation, metres.
    """

    def __init__(self, sorties: Sequence[Sortie], across_m: float, up_m: float) -> None:
        self._tracks = [Track.of(sortie) for sortie in sorties]
        self._across, self._up = across_m, up_m
        self._memory: dict[tuple[int, int], Floats] = {}
        middle = next((float(track.lon_deg[0]) for track in self._tracks if len(track.lon_deg)), 0.0)
        self._boxes = np.array([_box(track, middle) for track in self._tracks]).reshape(-1, 4)

    def partners(self, one: int) -> NDArray[np.int64]:
        """Numbers of the sorties whose ground overlaps that of sortie `one`, itself included."""
        if not len(self._tracks[one].time_s):
            return np.array([], dtype=np.int64)
        box = self._boxes[one]
        slack = (self._across + 500.0) / _METRES_A_DEGREE / max(0.05, np.cos(np.radians(box[0])))
        meets = (self._boxes[:, :2] <= box[2:] + slack).all(axis=1) & (self._boxes[:, 2:] >= box[:2] - slack).all(
            axis=1
        )
        return np.flatnonzero(meets)

    def forbidden(self, one: int, other: int) -> Floats:
        """Intervals of (take-off of `other` minus take-off of `one`), seconds, shape (k, 2), in rising order."""
        key = (one, other)
        if key not in self._memory:
            found = self._between(self._tracks[one], self._tracks[other])
            self._memory[key] = found
            self._memory[other, one] = -found[::-1, ::-1]
        return self._memory[key]

    def _between(self, a: Track, b: Track) -> Floats:
        if not len(a.time_s) or not len(b.time_s):
            return np.empty((0, 2))
        scale = _METRES_A_DEGREE * np.array([1.0, np.cos(np.radians(float(a.lat_deg.mean())))])
        lon0 = float(a.lon_deg[0])
        points = [np.stack([t.lat_deg, lon0 + shorter_turn(t.lon_deg - lon0)], axis=-1) * scale for t in (a, b)]
        # Between two samples each flies on: half a step of both belongs to the reach.
        reach = self._across + (a.speed_m_s + b.speed_m_s) * _SAMPLE_S / 2
        # Most of each flies where the other never comes.
        first, second = (_beside(points[k], points[1 - k], reach) for k in (0, 1))
        if not (len(first) and len(second)):
            return np.empty((0, 2))
        one, other = (scipy.spatial.cKDTree(points[k][own]) for k, own in enumerate((first, second)))
        pairs = one.sparse_distance_matrix(other, reach, output_type="coo_matrix")
        i, j = first[pairs.row], second[pairs.col]
        close = (a.low_m[i] - b.high_m[j] < self._up) & (b.low_m[j] - a.high_m[i] < self._up)
        difference = np.unique(np.round((a.time_s[i] - b.time_s[j])[close] / _SAMPLE_S)) * _SAMPLE_S
        if not difference.size:
            return np.empty((0, 2))
        breaks = np.flatnonzero(np.diff(difference) > 2.5 * _SAMPLE_S)
        low = difference[np.concatenate([[0], breaks + 1])] - 1.5 * _SAMPLE_S
        high = difference[np.concatenate([breaks, [len(difference) - 1]])] + 1.5 * _SAMPLE_S
        return np.stack([low, high], axis=-1)


def _beside(points: Floats, others: Floats, reach_m: float) -> NDArray[np.int64]:
    """Numbers of the points that lie in the box round some others, or within a reach of it."""
    return np.flatnonzero(
        ((points >= others.min(axis=0) - reach_m) & (points <= others.max(axis=0) + reach_m)).all(axis=1)
    )


def _box(track: Track, middle_deg: float) -> tuple[float, float, float, float]:
    """Least and greatest latitude and longitude of a track, degrees, on the turn of the globe about a longitude."""
    if not len(track.time_s):
        return (0.0, 0.0, 0.0, 0.0)
    lon = middle_deg + shorter_turn(track.lon_deg - middle_deg)
    return float(track.lat_deg.min()), float(lon.min()), float(track.lat_deg.max()), float(lon.max())
