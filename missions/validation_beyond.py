"""Borders beyond their ends, for validation: the wall that nobody may fly round, found without the planner's code."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from missions.validation_lines import joined

__all__ = ["past", "way_on"]

Floats = NDArray[np.float64]

_WALL_M = 5000.0
_CHORD_M = 1000.0
_STEP_M = 5.0
_CLOSED_M = 50.0


def way_on(line: Floats) -> Floats:
    """Unit vector straight on before the first vertex, in the direction of the first kilometre; zero for none."""
    shape = shapely.linestrings(line)
    inner = shapely.line_interpolate_point(shape, min(_CHORD_M, shapely.length(shape) / 2))
    away = line[0] - shapely.get_coordinates(inner)[0]
    return np.asarray(away / max(float(np.hypot(*away)), 1e-9))


def past(line: Floats, others: Sequence[Floats], stand_off_m: float) -> Floats:
    """A point straight on before the first vertex, shape (2,): where the border is near again, or 5 km on.

    What lies within the stand-off of a border is shut by that. So the wall is tried in small steps, and ends at the
    first that is: the planner has to have gone on until there at least. The kilometre that gives the direction is not
    looked at.
    """
    away = way_on(line)
    end = line[0] + away * _WALL_M
    shape = shapely.linestrings(line)
    half = min(_CHORD_M, shapely.length(shape) / 2)
    behind = np.cumsum(np.hypot(*np.diff(line, axis=0).T)) > half
    inner = shapely.get_coordinates(shapely.line_interpolate_point(shape, half))
    rest = [np.concatenate([inner, line[1:][behind]]), *others]
    steps = np.arange(0.0, _WALL_M + _STEP_M, _STEP_M)
    low, high = np.minimum(line[0], end) - 2 * _CLOSED_M, np.maximum(line[0], end) + 2 * _CLOSED_M
    border = shapely.clip_by_rect(joined([one for one in rest if len(one) > 1]), *low.tolist(), *high.tolist())
    if border.is_empty:
        return np.asarray(end)
    gap = shapely.distance(shapely.points(line[0] + steps[:, None] * away), border)
    near = np.flatnonzero(gap <= max(min(stand_off_m, _CLOSED_M), _STEP_M / 2))
    return np.asarray(line[0] + away * steps[near[0]] if len(near) else end)
