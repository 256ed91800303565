"""What a plan was made on, made anew: it carries where its course runs, not what is watched from it, nor the ground."""

from __future__ import annotations

import numpy as np

from geo import FlatTerrain, Terrain, shorter_turn
from missions.course import Course
from missions.errors import PlanError
from missions.patrol import PatrolPlan
from missions.surroundings import Surroundings
from missions.task import Task

__all__ = ["course_of", "ground_of", "surroundings_of"]

_SAME_DEG = 1e-6
"""Vertices of a plan are rounded to a tenth of this."""

_SAME_GROUND_M = 0.5


def surroundings_of(plan: PatrolPlan) -> Surroundings:
    """The borders of a plan, and of its airspace what blocks it."""
    options = plan.options
    return Surroundings(
        plan.borders,
        plan.airspace,
        plan.blocking_zones(),
        options.zone_margin_m,
        plan.clearance,
        fence_m=options.fence_m,
    )


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


def ground_of(plan: PatrolPlan, terrain: Terrain | None) -> Terrain:
    """The terrain that a plan was made on: the one that is given, or level ground where that shows in the plan.

    Raises
    ------
    PlanError
        When another terrain was planned on.
    """
    if terrain is None:
        legs = [leg for sortie in plan.sorties for leg in sortie.legs]
        heights = [leg.end.ground_amsl_m for leg in legs]
        if max(heights) - min(heights) > _SAME_GROUND_M:
            raise PlanError("the plan was made over terrain: give that terrain")
        return FlatTerrain(plan.sorties[0].home.ground_amsl_m)
    for home in {sortie.home for sortie in plan.sorties}:
        here = float(terrain.elevation_m(home.lat_deg, home.lon_deg))
        if abs(here - home.ground_amsl_m) > _SAME_GROUND_M:
            raise PlanError(
                f"the terrain has the base at {here:.1f} m, the plan at {home.ground_amsl_m:.1f} m: give the terrain "
                "that it was planned on"
            )
    return terrain


def _runs_along(course: Course, flight_line: tuple[tuple[float, float], ...]) -> bool:
    """Whether a course has these vertices, latitude and longitude, degrees."""
    if len(flight_line) != len(course.lat_deg):
        return False
    lat, lon = np.array(flight_line).T
    east = shorter_turn(lon - course.lon_deg)
    return bool(np.abs(lat - course.lat_deg).max() <= _SAME_DEG and np.abs(east).max() <= _SAME_DEG)
