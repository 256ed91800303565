"""What pieces of a course weigh by a risk table, which goes by the metres of the lines that are watched from it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from missions.course import Course
from missions.risk import RiskTable

__all__ = ["weights_along"]

Floats = NDArray[np.float64]

_INSIDE_M = 1e-4


def weights_along(course: Course, risk: RiskTable, stations: Floats, hour: float) -> Floats:
    """Risk weight of each piece between two stations, metres along a course, shape (n - 1,), at an hour of the day.

    A line of priority 2 weighs half as much as one of priority 1.
    """
    middle = (stations[:-1] + stations[1:]) / 2
    leg = course.leg_at(middle)
    # At a station one stretch ends, and the next may be of another line.
    begin, end = (np.interp(at, *course.feet_m) for at in (stations[:-1] + _INSIDE_M, stations[1:] - _INSIDE_M))
    low, high = np.minimum(begin, end), np.maximum(begin, end)
    # A ring ends where it begins.
    rises = course.line_m[leg, 1] >= course.line_m[leg, 0]
    seam = rises & (begin - end > float(course.feet_m[1].max()) / 2)
    low, high = np.where(seam, begin, low), np.where(seam, np.inf, high)
    out = np.ones(len(middle))
    for number, line in enumerate(course.lines):
        own = course.line[leg] == number
        table = risk.of_line(line.name, border=number == 0)
        out[own] = table.weights(low[own], high[own], hour)
    priority = np.array([line.priority for line in course.lines])[course.line[leg]]
    return np.asarray(out / priority * float(priority.min()))
