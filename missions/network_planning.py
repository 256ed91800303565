"""Network and fleet in, patrol plan out."""

from __future__ import annotations

from geo import Terrain
from missions.airspace import Airspace
from missions.border import BorderSegment
from missions.fleet import Fleet
from missions.network import BorderNetwork
from missions.options import PlanOptions
from missions.patrol import PatrolPlan
from missions.planning import best_plan
from missions.risk import RiskTable, risk_apart
from missions.task import Task
from missions.way_rises import KeptWays

__all__ = ["plan_network", "plan_patrolled"]


def plan_network(
    network: BorderNetwork,
    fleet: Fleet,
    terrain: Terrain | None = None,
    options: PlanOptions | None = None,
    *,
    airspace: Airspace | None = None,
    risk: RiskTable | None = None,
) -> PatrolPlan:
    """Plan the patrol of a border and its branches by a fleet.

    One walk past every line, near the cheapest (`cover_lines`), is shared out among the teams as `plan` shares out the
    course beside a border; a sortie then patrols the runs of its part of the walk in the order that is quickest from
    its base. A branch is flown beside at the same lateral distance as the border, on the side where that
    is lawful; all cameras are set up for the greatest band and stand-off of any line.

    Parameters
    ----------
    network
        What to watch; it holds at least one border, for nothing else says which side is lawful.
    fleet, terrain, options, airspace
        As for `plan`.
    risk
        For `Objective.RISK`: along the longest border, and along the lines that its rows name. A line of priority 2
        counts half as much as one of priority 1.

    Returns
    -------
    PatrolPlan
        One that passes `check`. Its notes say which parts of which lines are not watched, and why.

    Raises
    ------
    PlanError
        As for `plan`, and when the network has no border, or is wider than 400 km.
    ObservationError
        When the camera cannot see the greatest band from behind the greatest stand-off.
    """
    return best_plan(Task.of(network), fleet, terrain, options, airspace=airspace, risk=risk)


def plan_patrolled(
    what: BorderSegment | BorderNetwork,
    fleet: Fleet,
    terrain: Terrain | None = None,
    options: PlanOptions | None = None,
    *,
    airspace: Airspace | None = None,
    risk: RiskTable | None = None,
    kept: KeptWays | None = None,
) -> PatrolPlan:
    """Plan the patrol of a border or a network: as `plan` or `plan_network` does.

    Who plans the same several times over one terrain, for one fleet and another, may have ways `kept` in between.
    """
    rows = risk or RiskTable()
    if isinstance(what, BorderSegment):
        rows = risk_apart(rows, what)
    return best_plan(Task.of(what), fleet, terrain, options, airspace=airspace, risk=rows, kept=kept)
