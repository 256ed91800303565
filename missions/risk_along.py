"""What pieces of a course weigh by a risk table, which goes by the metres of the lines that are watched from it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from missions.course import Course
from missions.risk import RiskTable

__all__ = ["weights_along"]

Floats = NDArray[np.float64]


def weights_along(course: Course, risk: RiskTable, stations: Floats, hour: float) -> Floats:
    """Risk weight of each piece between two stations, metres along a course, shape (n - 1,), at an hour of the day.

    A line of priority 2 weighs half as much as one of priority 1.
    """
    middle, half = (stations[:-1] + stations[1:]) / 2, np.diff(stations) / 2
    leg = course.leg_at(middle)
    if course.feet_m is None:
        begin, end = course.line_m[leg].T
        along = (middle - course.along_m[leg]) / (course.along_m[leg + 1] - course.along_m[leg])
        at = begin + along * (end - begin)
        low, high = at - half, at + half
    else:
        beside = np.interp(stations, *course.feet_m)
        low, high = beside[:-1], beside[1:]
        # Where a ring begins it ends.
        high = np.where(high < low, np.inf, high)
    out = np.ones(len(middle))
    for number, line in enumerate(course.lines):
        own = course.line[leg] == number
        table = risk.of_line(line.name, border=number == 0)
        out[own] = table.weights(low[own], high[own], hour)
    priority = np.array([line.priority for line in course.lines])[course.line[leg]]
    return np.asarray(out / priority * float(priority.min()))
