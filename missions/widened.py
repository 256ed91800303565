"""Everything within a distance of a line, in time that grows with its vertices alone.

GEOS draws a wide buffer of a line whose vertices stand close, as on a track of a receiver, as an outline that crosses
itself thousands of times, and sorts that out afterwards. Here such a line is cut into short pieces, and their convex
hulls are widened: outlines that cross nothing, which are then united. A hull holds its piece, so that nothing is
missing; what it adds is no wider than the sagitta of its length.
"""

from __future__ import annotations

import math

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Geometry

__all__ = ["EXCESS_M", "is_dense", "widened"]

Floats = NDArray[np.float64]

EXCESS_M = 0.05
"""What is drawn reaches no further beyond the true distance than this, metres, and the rounding of GEOS."""

_DENSE = 8
"""With no more edges than this to the distance, by their median, GEOS draws the line at once as quickly."""


def widened(line: Geometry, by_m: float, *, quad_segs: int = 16) -> Geometry:
    """Everything within `by_m` of a line: `shapely.buffer` with round ends, for lines with any number of vertices.

    Parameters
    ----------
    line
        A line or several; of anything else it is the plain buffer.
    by_m
        Distance, metres, above zero.
    quad_segs
        Pieces of a quarter of each arc.

    Notes
    -----
    Two points of a piece of length D are no farther apart than D. A place at the distance d from the straight line
    between them lies within ``sqrt(d**2 + D**2 / 4)``, less than ``d + D**2 / (8 d)``, of the nearer one: pieces are no
    longer than makes that `EXCESS_M`.
    """
    if not is_dense(line, by_m):
        return shapely.buffer(line, by_m, quad_segs=quad_segs)
    longest_m = math.sqrt(8 * by_m * EXCESS_M)
    pieces = np.concatenate([_pieces(shapely.get_coordinates(part), longest_m) for part in shapely.get_parts(line)])
    return shapely.union_all(shapely.buffer(shapely.convex_hull(pieces), by_m, quad_segs=quad_segs))


def is_dense(line: Geometry, by_m: float) -> bool:
    """Whether vertices of a line, or of several, stand so close that GEOS takes long to draw what is within `by_m`."""
    parts = shapely.get_parts(line)
    if not len(parts) or (shapely.get_dimensions(parts) != 1).any():
        return False
    edges = np.concatenate([np.hypot(*np.diff(shapely.get_coordinates(part), axis=0).T) for part in parts])
    return len(edges) > 0 and _DENSE * float(np.median(edges)) < by_m


def _pieces(xy: Floats, longest_m: float) -> NDArray[np.object_]:
    """A line cut at vertices into pieces no longer than that, where no single edge is."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    furthest = np.searchsorted(along, along + longest_m, side="right") - 1
    nexts = np.maximum(furthest, np.arange(1, len(xy) + 1)).tolist()
    cuts = [0]
    while cuts[-1] < len(xy) - 1:
        cuts.append(nexts[cuts[-1]])
    counts = np.diff(cuts) + 1
    # Each piece begins with the vertex that the one before ends with.
    which = np.repeat(np.arange(len(counts)), counts)
    return np.asarray(shapely.linestrings(xy[np.arange(len(which)) - which], indices=which))
