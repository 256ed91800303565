"""A patrol planned anew for the aircraft that are left, for the rest of its shift."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

import numpy as np

from geo import Terrain
from missions.clock import moment_of
from missions.errors import PlanError
from missions.fleet import Fleet
from missions.network_planning import plan_patrolled
from missions.options import Objective
from missions.patrol import PatrolPlan
from missions.recourse import ground_of

__all__ = ["replan"]


def replan(
    made: PatrolPlan, sysids: Collection[int], elapsed_s: float = 0.0, terrain: Terrain | None = None
) -> PatrolPlan:
    """Plan the rest of a shift for some of the vehicles.

    Parameters
    ----------
    made
        The plan of the whole shift, with the whole fleet.
    sysids
        Who is left.
    elapsed_s
        How much of the shift is over, seconds; times of the new plan count from there. One coverage is planned whole
        again, whatever of it was flown.
    terrain
        The ground that it was planned on; level, as in the plan, by default.

    Returns
    -------
    PatrolPlan
        Of the same border or network, airspace, risk and options, by those vehicles alone.

    Raises
    ------
    PlanError
        When nobody or nothing of the shift is left, or those who are left cannot patrol.
    """
    left = tuple(vehicle for vehicle in made.fleet.vehicles if vehicle.sysid in sysids)
    if not left:
        raise PlanError("no vehicle is left to patrol with: mend one, or end the shift")
    options = made.options
    shift_s = options.shift_s - elapsed_s
    if options.objective is Objective.ONCE:
        shift_s = options.shift_s
    if not (np.isfinite(elapsed_s) and elapsed_s >= 0 and shift_s >= 1):
        raise PlanError(f"{elapsed_s:g} s of a shift of {options.shift_s:g} s are over: nothing of it is left to plan")
    if options.shift_start:
        begun = moment_of(options.shift_start, "option shift_start")
        options = replace(options, shift_start=(begun + timedelta(seconds=elapsed_s)).isoformat())
    else:
        options = replace(options, shift_hour=(options.shift_hour + elapsed_s / 3600) % 24)
    options = replace(options, shift_s=shift_s)
    ground, fleet = ground_of(made, terrain), Fleet(made.fleet.camera, left)
    what = made.network or made.border
    return plan_patrolled(what, fleet, ground, options, airspace=made.airspace, risk=made.risk)
