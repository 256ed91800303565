"""A lower bound for the revisit interval."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from missions.fleet import Vehicle
from missions.flying import leg_effort
from missions.wind import CALM, Wind

__all__ = ["revisit_bound"]

Floats = NDArray[np.float64]


def revisit_bound(
    vehicles: tuple[Vehicle, ...],
    *,
    distance_m: Floats,
    weights_m: Floats,
    patrol_m_s: float,
    height_m: float,
    wind: Wind = CALM,
    turn_round: bool = True,
) -> float:
    """No plan with these aircraft that flies all of a line at one patrol speed has a shorter revisit interval, seconds.

    Parameters
    ----------
    vehicles
        The fleet.
    distance_m, weights_m
        Of the middles of the pieces that are patrolled: the distance to the nearest base, and the length of the piece,
        metres, shape (n,). The points of a piece lie within half its length of its middle.
    patrol_m_s
        Patrol speed over the ground, of the fastest type.
    height_m
        Lowest height above ground that a transit or patrol climbs to.
    wind
        The wind: transits may have it behind them both ways, as far as this bound knows.
    turn_round
        Whether the aircraft turn round after every sortie; not so for a single coverage, where it bounds the time to
        the last landing.

    Notes
    -----
    A point that is seen once in every interval R is seen at least H / R - 1 times in a horizon H. Let W be the least
    aircraft time, turn-round included, that one look at all of the line costs. In H the n aircraft have n H, so in the
    limit R >= W / n, however the work is cut, ordered, repeated or shared. W is bounded by a price on every metre. With

    - v, u the patrol and transit speed, e_p, e_t the energy of a metre of each, F the time of turn-round, climb and
      descent, E the usable energy less that of climb and descent,
    - d(s) the straight distance from the nearest base to point s, r the least d,

    take a sortie that patrols the set S, whose farthest point is at D. Its transits reach the line, so they are at
    least 2 r long; its whole way is at least 2 D, so they are at least 2 D - |S| long too. From the energy

        |S| <= l(D),    l(d) = min((E - 2 r e_t) / e_p, (E - 2 d e_t) / (e_p - e_t)),

    which falls with d. With the price p(d) = (F + max(2 r, 2 d - l(d)) / u) / l(d), which rises with d, the integral of
    p over S is at most |S| p(D), and since |S| <= l(D) that is at most F + max(2 r, 2 D - |S|) / u: no more than the
    overhead of the sortie. Hence W >= L / v + integral of p(d(s)) ds. Of unequal aircraft the best figure of any is
    used for each symbol.
    """
    if not len(weights_m):
        return 0.0
    # Every point of a piece is at least this far from a base.
    distance = np.maximum(distance_m - weights_m / 2, 0.0)
    nearest = float(distance.min())
    transit = max(v.aircraft.cruise_m_s for v in vehicles) + wind.speed_m_s
    fixed = np.inf
    longest = np.zeros(len(weights_m))
    for craft in dict.fromkeys(vehicle.aircraft for vehicle in vehicles):
        up_s, up_wh = leg_effort(craft, 0.0, height_m, craft.climb_m_s)
        down_s, down_wh = leg_effort(craft, 0.0, -height_m, craft.descent_m_s)
        fixed = min(fixed, (craft.turn_round_s if turn_round else 0.0) + up_s + down_s)
        # Of the airspeeds that this wind can make of the ground speed the one of least power.
        patrol_j = float(craft.power_w(max(0.0, patrol_m_s - wind.speed_m_s))) / patrol_m_s
        transit_j = min(float(craft.power_w(craft.cruise_m_s)) / (craft.cruise_m_s + wind.speed_m_s), patrol_j)
        budget_j = 3600 * (craft.usable_wh - craft.ground_energy_wh - up_wh - down_wh)
        reach = np.full(len(weights_m), (budget_j - 2 * nearest * transit_j) / patrol_j)
        if patrol_j > transit_j:
            reach = np.minimum(reach, (budget_j - 2 * distance * transit_j) / (patrol_j - transit_j))
        longest = np.maximum(longest, reach)
    # A piece at the very edge of reach: its own length bounds what its price may be.
    longest = np.maximum(longest, weights_m)
    price = (fixed + np.maximum(2 * nearest, 2 * distance - longest) / transit) / longest
    return float(weights_m.sum() / patrol_m_s + weights_m @ price) / len(vehicles)
