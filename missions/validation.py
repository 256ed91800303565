"""Independent validation of a plan: every constraint worked out again from the final geometry.

Nothing of the planner is used here: other projections (azimuthal equidistant about each sortie), other formulae (the
wind triangle by vectors), plain sampling in place of closed forms. What both get wrong in the same way they got wrong
independently.
"""

from __future__ import annotations

from geo import Terrain
from missions.patrol import PatrolPlan
from missions.validation_claims import cameras, figures, intervals, is_numbers
from missions.validation_corners import corners
from missions.validation_coverage import coverage
from missions.validation_flying import energy, heights, speeds, turns
from missions.validation_looks import looks
from missions.validation_place import places
from missions.validation_risk import at_risk
from missions.validation_rule import Validation
from missions.validation_runway import runways
from missions.validation_schedule import batteries, launches, resumed, rotation, separation

__all__ = ["check", "validate"]


def check(plan: PatrolPlan, terrain: Terrain | None = None) -> list[str]:
    """Every rule that a plan breaks, one sentence each; empty when it breaks none."""
    return validate(plan, terrain).violations


def validate(plan: PatrolPlan, terrain: Terrain | None = None) -> Validation:
    """Check a plan against its border, airspace, fleet and options.

    Parameters
    ----------
    plan
        The plan.
    terrain
        The ground; without it the height above ground is that which the waypoints carry.
    """
    told = figures(plan)
    if not is_numbers(plan):
        # Of what is no number nothing else can be said.
        return Validation((told,))
    rules = [
        *places(plan),
        looks(plan),
        heights(plan, terrain),
        speeds(plan),
        energy(plan),
        turns(plan),
        corners(plan),
        rotation(plan),
        launches(plan),
        batteries(plan),
        separation(plan),
    ]
    if any(vehicle.aircraft.needs_runway for vehicle in plan.fleet.vehicles):
        rules.append(runways(plan, terrain))
    if any(sortie.airborne or sortie.charge != 1 for sortie in plan.sorties):
        rules.append(resumed(plan))
    # What a plan says of itself comes after what it does.
    claims = [told, cameras(plan), coverage(plan, terrain), intervals(plan)]
    if plan.risk_s is not None:
        claims.append(at_risk(plan))
    return Validation((*rules, *claims))
