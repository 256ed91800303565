"""Places of the band beside lines, drawn evenly, for validation: every part of it has as many as it has area.

The planner cuts the band into cells. This draws places from what the band is made of, and shares nothing with that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from missions.border import BorderSegment
from missions.network import Branch

__all__ = ["places_of_band"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

_GOLDEN = 0.6180339887498949
_M_PER_DEG = 111_132.0
_ENOUGH, _MOST_DRAWN = 0.8, 40
"""Which share of the places that are wanted is enough, and how many are drawn for each of these, most."""


def places_of_band(lines: Sequence[BorderSegment | Branch], count: int) -> Floats:
    """Latitude and longitude, degrees, of about so many places drawn evenly from the bands of lines, shape (n, 2).

    Beside each piece of a line they are drawn from a rectangle, outside each bend from a sector, as many as these have
    area, and kept where they are nowhere nearer to the line: so every place of the band may be drawn once. Beside a
    line that turns back and forth, as a noisy track does, few are kept, and more are drawn.
    """
    shapes = [shape for line in lines for shape in _shapes(line)]
    ends = np.append(0.0, np.cumsum([shape.area_m2.sum() for shape in shapes]))
    wanted = count
    while True:
        # Of many short lines most have one place, or none.
        number = np.arange(wanted)
        at = (number + 0.5) / wanted * ends[-1]
        shares = np.split(number, np.searchsorted(at, ends[1:-1]))
        kept = np.concatenate(
            [shape.drawn(own, at[own] - begin) for shape, own, begin in zip(shapes, shares, ends[:-1], strict=True)]
        )
        if len(kept) >= _ENOUGH * count or wanted >= _MOST_DRAWN * count:
            return kept
        wanted = min(_MOST_DRAWN * count, math.ceil(1.1 * wanted * count / max(len(kept), 1)))


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of the band of a line: a rectangle beside each of its pieces, a sector outside each bend between two.

    Parameters
    ----------
    vertices
        Of the line, longitude and latitude, degrees, shape (n, 2).
    length_m, azimuth_rad
        Of each piece, metres, and radians from east to north, shape (n - 1,).
    turn_rad
        How far round each vertex its sector goes, signed, shape (n,): 0 inside bends and at the ends.
    depth_m, sign
        How deep the side is, metres, and 1 for the left one, -1 for the right.
    """

    vertices: Floats
    length_m: Floats
    azimuth_rad: Floats
    turn_rad: Floats
    depth_m: float
    sign: float

    @property
    def area_m2(self) -> Floats:
        """Of rectangles and then of sectors, square metres, shape (2n - 1,)."""
        return np.concatenate([self.length_m * self.depth_m, np.abs(self.turn_rad) * self.depth_m**2 / 2])

    def drawn(self, number: Ints, at_m2: Floats) -> Floats:
        """Latitude and longitude, degrees, of those of some places that are nowhere nearer to the line.

        Parameters
        ----------
        number
            Of each place among all that are drawn, shape (n,): it says how deep the place lies.
        at_m2
            How much of the side lies before it, square metres, shape (n,).
        """
        if not len(number):
            return np.empty((0, 2))
        ends = np.cumsum(self.area_m2)
        at = np.clip(at_m2, 0.0, ends[-1] * (1 - 1e-12))
        which = np.minimum(np.searchsorted(ends, at, side="right"), len(ends) - 1)
        share = (at - (ends - self.area_m2)[which]) / self.area_m2[which]
        # A sequence of the golden ratio fills the depth evenly, whatever the line does meanwhile.
        depth = number * _GOLDEN % 1.0
        pieces, bent = len(self.length_m), which >= len(self.length_m)
        piece = np.clip(np.where(bent, which - pieces - 1, which), 0, pieces - 1)
        vertex = np.where(bent, which - pieces, which)
        off = self.depth_m * np.where(bent, np.sqrt(depth), depth)
        aside = self.azimuth_rad[piece] + self.sign * np.pi / 2
        aside += np.where(bent, share * self.turn_rad[np.where(bent, vertex, 0)], 0.0)
        # Lines are straight in degrees: of a long piece metres along it would lead beside it.
        along = np.where(bent, 0.0, share)[:, None] * (self.vertices[piece + 1] - self.vertices[piece])
        foot = self.vertices[vertex] + along
        cos = np.cos(np.radians(foot[:, 1]))
        east_north = off[:, None] * np.column_stack([np.cos(aside), np.sin(aside)])
        place = foot + east_north / _M_PER_DEG / np.column_stack([cos, np.ones_like(cos)])
        return np.asarray(place[_nearest_here(self.vertices, place, off)][:, ::-1])


def _shapes(line: BorderSegment | Branch) -> Iterator[_Side]:
    """The sides of the band of a line that have a depth."""
    vertices = np.array(line.unwrapped())
    step = np.diff(vertices, axis=0)
    step[:, 0] *= np.cos(np.radians((vertices[1:, 1] + vertices[:-1, 1]) / 2))
    kept = np.append(True, np.hypot(*step.T) > 0)
    vertices, step = vertices[kept], step[kept[1:]]
    azimuth = np.arctan2(step[:, 1], step[:, 0])
    turn = np.zeros(len(vertices))
    turn[1:-1] = (np.diff(azimuth) + np.pi) % (2 * np.pi) - np.pi
    if (vertices[0] == vertices[-1]).all():
        turn[-1] = (azimuth[0] - azimuth[-1] + np.pi) % (2 * np.pi) - np.pi
    if isinstance(line, Branch):
        left, right = line.band_left_m, line.band_right_m
    elif line.own_side.sign > 0:
        left, right = line.band_own_m, line.band_far_m
    else:
        left, right = line.band_far_m, line.band_own_m
    for sign, depth in ((1.0, left), (-1.0, right)):
        if depth > 0:
            outside = np.where(sign * turn < 0, turn, 0.0)
            yield _Side(vertices, np.hypot(*step.T) * _M_PER_DEG, azimuth, outside, depth, sign)


def _nearest_here(vertices: Floats, place: Floats, off_m: Floats) -> Bools:
    """Places that lie as far from the line as they were set off from it: others belong beside another bend of it."""
    cos = np.cos(np.radians(place[:, 1].mean()))
    turn = np.array([cos, 1.0]) * _M_PER_DEG
    pieces = shapely.linestrings(np.stack([vertices[:-1], vertices[1:]], axis=1) * turn)
    _, away = shapely.STRtree(np.asarray(pieces)).query_nearest(
        shapely.points(place * turn), return_distance=True, all_matches=False
    )
    # A long line is not in scale everywhere.
    scale = np.cos(np.radians(place[:, 1])) / cos
    return np.asarray(away >= off_m * np.minimum(1.0, 1 / np.maximum(scale, 1e-3)) * 0.995 - 0.02)
