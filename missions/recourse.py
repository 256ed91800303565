"""The course of a plan, made anew: a plan carries where its course runs, not what is watched from it."""

from __future__ import annotations

import numpy as np

from missions.course import Course
from missions.errors import PlanError
from missions.patrol import PatrolPlan
from missions.surroundings import Surroundings
from missions.task import Task

__all__ = ["course_of", "surroundings_of"]

_SAME_DEG = 1e-6
"""Vertices of a plan are rounded to a tenth of this."""


def surroundings_of(plan: PatrolPlan) -> Surroundings:
    """The borders of a plan, and of its airspace what blocks it."""
    return Surroundings(plan.borders, plan.airspace, plan.blocking_zones(), plan.options.zone_margin_m)


def course_of(plan: PatrolPlan, around: Surroundings) -> Course:
    """The course that a plan was cut from: of those that may be flown the one with the vertices of the plan.

    Parameters
    ----------
    plan
        The plan.
    around
        Its surroundings.

    Raises
    ------
    PlanError
        When its border or network, fleet and options do not give such a course.
    """
    task = Task.of(plan.border if plan.network is None else plan.network)
    for course in task.courses(around, plan.observations, plan.fleet, plan.options.wind):
        if _runs_along(course, plan.flight_line):
            return course
    what = "border" if plan.network is None else "network"
    raise PlanError(f"the plan's course is not one that this program makes of its {what}: plan it again")


def _runs_along(course: Course, flight_line: tuple[tuple[float, float], ...]) -> bool:
    """Whether a course has these vertices, latitude and longitude, degrees."""
    if len(flight_line) != len(course.lat_deg):
        return False
    lat, lon = np.array(flight_line).T
    east = (lon - course.lon_deg + 180.0) % 360.0 - 180.0
    return bool(np.abs(lat - course.lat_deg).max() <= _SAME_DEG and np.abs(east).max() <= _SAME_DEG)
