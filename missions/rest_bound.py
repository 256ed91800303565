"""The lower bound of a plan that resumes another."""

from __future__ import annotations

from collections.abc import Sequence

from missions.patrol import PATROL_ALONE, Bound, PatrolPlan
from missions.sortie import Sortie

__all__ = ["rest_bound"]


def rest_bound(plan: PatrolPlan, left: Sequence[Sortie]) -> Bound:
    """What nobody watches the stretches of some sorties in less than: all aircraft of a plan at once, without a way.

    Whoever flies them, each aircraft watches no more in an interval than its speed times that.
    """
    left_m = sum(leg.distance_m for sortie in left for leg in sortie.patrol)
    any_m_s = max(_patrol_m_s(plan, sortie) for sortie in plan.sorties)
    speeds_m_s = [
        max((_patrol_m_s(plan, own) for own in plan.sorties if own.vehicle.sysid == vehicle.sysid), default=any_m_s)
        for vehicle in plan.fleet.vehicles
    ]
    return Bound(PATROL_ALONE, left_m / sum(speeds_m_s), "whatever its ways out and home")


def _patrol_m_s(plan: PatrolPlan, sortie: Sortie) -> float:
    """The greatest speed of a patrol, metres a second: wings may have to fly faster than it is wanted."""
    craft = sortie.vehicle.aircraft
    wind = plan.options.wind
    forced = craft.true_m_s(craft.min_m_s, wind) + wind.speed_m_s if craft.has_wings else 0.0
    return max(plan.observation_of(sortie).speed_m_s, forced)
