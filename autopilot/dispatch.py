"""Which vehicle of a patrol goes to a cue: the one that sees it soonest, of those that can and may.

One that flies may go only straight, only inside the fence that it was proved to hold, and only where nobody else flies;
one on the ground gets a sortie of its own with a fence of its own. Both come home above their reserve. For each of the
others the answer says why not: what cannot be shown to be lawful is not flown.
"""

from __future__ import annotations

from collections.abc import Sequence

from autopilot.cue import Answer, Cue, Offer, Standing
from autopilot.diversion import Diversion
from autopilot.errors import FlightError
from missions import MissionsError, PatrolPlan, Viewing, cue_sortie

__all__ = ["dispatch"]


def dispatch(cue: Cue, plan: PatrolPlan, standings: Sequence[Standing], viewing: Viewing | None = None) -> Answer:
    """The vehicle that sees a cue soonest.

    Parameters
    ----------
    cue
        What to look at.
    plan
        Gives borders, airspace, limits, wind and cameras.
    standings
        Every vehicle of the patrol.
    viewing
        A `Viewing` of this plan and its terrain; by default over level ground.
    """
    viewing = viewing or Viewing(plan)
    offers: list[Offer] = []
    others: dict[int, str] = {}
    for one in standings:
        try:
            offers.append(_offer(cue, viewing, one, [s for s in standings if s is not one]))
        except (MissionsError, FlightError) as error:
            others[one.vehicle.sysid] = str(error)
    if not offers:
        return Answer(cue, None, others)
    chosen = min(offers, key=lambda offer: (offer.arrival_s, offer.sysid))
    for offer in offers:
        if offer is not chosen:
            others[offer.sysid] = f"would be there {offer.arrival_s - chosen.arrival_s:.0f} s later"
    return Answer(cue, chosen, others)


def _offer(cue: Cue, viewing: Viewing, one: Standing, others: Sequence[Standing]) -> Offer:
    """How a vehicle would answer. Raises FlightError or PlanError where it cannot."""
    name = one.vehicle.name
    if one.unfit is not None:
        raise FlightError(f"{name}: {one.unfit}")
    if one.battery is None:
        raise FlightError(f"{name}: does not say what is left of its battery")
    if one.airborne:
        return Diversion(viewing, one, others).offer(cue)
    made = cue_sortie(
        viewing.plan, one.vehicle, cue.spot, station_s=cue.station_s, charge=max(one.battery, 1e-6), viewing=viewing
    )
    base_amsl = made.sortie.home.amsl_m
    return Offer(
        one.vehicle.sysid,
        one.ready_s + made.arrival_s,
        made.place.lat_deg,
        made.place.lon_deg,
        made.place.amsl_m - base_amsl,
        made.sortie.reserve_left,
        made,
    )
