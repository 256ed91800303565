"""A lower bound over all plans, whatever their sorties: pieces of the line in any order, skipped, in any number.

For the revisit interval it speaks of plans that are flown without a break: see `missions.bound`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from missions.bound import dearest
from missions.fleet import Aircraft
from missions.wind import CALM, Wind

__all__ = ["Crew", "sortie_bound"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Crew:
    """Equal aircraft at one base.

    Parameters
    ----------
    aircraft, size
        Their type and number.
    distance_m
        Distance of the middle of every piece from their base, metres, shape (n,).
    patrol_m_s
        Patrol speed over the ground, metres a second.
    height_m
        Lowest height above ground that a transit or patrol climbs to, metres.
    thickest
        True airspeed by equivalent airspeed where the air is thickest; of rotors, which take no less below the sea than
        on it, at least 1.
    """

    aircraft: Aircraft
    size: int
    distance_m: Floats
    patrol_m_s: float
    height_m: float
    thickest: float = 1.0


def sortie_bound(
    crews: Sequence[Crew],
    length_m: Floats,
    *,
    wind: Wind = CALM,
    once: bool = False,
    weight: Floats | None = None,
) -> float:
    """No plan with these aircraft that flies all of a line at their patrol speed, without a break, is better, seconds.

    Parameters
    ----------
    crews
        Who flies.
    length_m
        Length of the pieces that are patrolled, metres, shape (n,).
    wind
        The wind: transits may have it behind them both ways, as far as this bound knows.
    once
        Bound the time to the last landing of a single coverage instead of the revisit interval: no turn-rounds.
    weight
        Risk weight of the pieces, shape (n,), to bound the greatest revisit interval times weight: with that at R, a
        piece is looked at weight / R times a second. 1 by default.

    Notes
    -----
    A sortie's time beyond the patrol itself is put on the metres that it patrols. With, for one crew,

    - v, u the patrol and transit speed, e_p, e_t the energy of a metre of each, F the time of turn-round, climb and
      descent, E the usable energy less that of climb and descent,
    - d(s) the straight distance from the base to point s, r the least d,

    take a sortie that patrols the set S, whose farthest point is at D. Its transits reach the line, so they are at
    least 2 r long; its whole way is at least 2 D, so they are at least 2 D - |S| long too. From the energy

        |S| <= l(D),    l(d) = min((E - 2 r e_t) / e_p, (E - 2 d e_t) / (e_p - e_t)),

    which falls with d. With the price p(d) = (F + max(2 r, 2 d - l(d)) / u) / l(d), which rises with d, the integral of
    p over S is at most |S| p(D), and since |S| <= l(D) that is at most F + max(2 r, 2 D - |S|) / u: no more than the
    overhead of the sortie. So one look at a piece by that crew costs it at least w (1 / v + p(d)), and nothing less
    than infinity beyond its reach; pieces are then given to the crews as `missions.bound` says.

    Of a single coverage nobody is home before they have been out to the piece that takes longest: up, there, along it,
    home and down, by the crew that does it soonest.
    """
    if not len(length_m):
        return 0.0
    cost = np.array([_cost_s(crew, length_m, wind, once=once) for crew in crews])
    cost *= 1.0 if weight is None else weight
    capacity = np.array([float(crew.size) for crew in crews])
    every = np.arange(len(length_m))

    def respond(price: Floats) -> Floats:
        cheapest = np.argmin(np.where(np.isfinite(cost), price[:, None] * cost, np.inf), axis=0)
        used = np.bincount(cheapest, weights=cost[cheapest, every], minlength=len(crews))
        return np.asarray(used, dtype=float)

    found = dearest(capacity, respond)
    return (
        max(found, float(np.min([_alone_s(crew, length_m, wind) for crew in crews], axis=0).max())) if once else found
    )


def _alone_s(crew: Crew, length_m: Floats, wind: Wind) -> Floats:
    """Least time from a take-off to a landing that looks at each piece, seconds."""
    craft, (up_s, _), (down_s, _) = crew.aircraft, *_up_down(crew)
    away = np.maximum(crew.distance_m - length_m / 2, 0.0)
    # What of the way is a patrol of other pieces may be flown faster.
    way_s = 2 * away / max(craft.true_m_s(craft.cruise_m_s, wind) + wind.speed_m_s, crew.patrol_m_s)
    return np.asarray(craft.ground_s + up_s + down_s + way_s + length_m / crew.patrol_m_s)


def _cost_s(crew: Crew, length_m: Floats, wind: Wind, *, once: bool) -> Floats:
    """Least aircraft time for one look at each piece, seconds; infinite where it is out of reach."""
    craft = crew.aircraft
    # Every point of a piece is at least this far from the base.
    distance = np.maximum(crew.distance_m - length_m / 2, 0.0)
    nearest = float(distance.min())
    transit_m_s = craft.true_m_s(craft.cruise_m_s, wind) + wind.speed_m_s
    (up_s, up_wh), (down_s, down_wh) = _up_down(crew)
    fixed = (0.0 if once else craft.turn_round_s) + craft.ground_s + up_s + down_s
    # Of the airspeeds that this wind can make of the ground speed the one of least power.
    slow, fast = max(0.0, crew.patrol_m_s - wind.speed_m_s), crew.patrol_m_s + wind.speed_m_s
    patrol_j = _least_w(crew, slow, fast, wind) / crew.patrol_m_s
    cruise_m_s = craft.cruise_m_s * (crew.thickest if craft.has_wings else 1.0)
    # Wings take the least where the air is thickest, and so do rotors at one speed.
    cruise_w = float(craft.power_w(cruise_m_s, thin=crew.thickest))
    transit_j = min(cruise_w / (cruise_m_s + wind.speed_m_s), patrol_j)
    budget_j = 3600 * (craft.usable_wh - crew.thickest * craft.ground_energy_wh - up_wh - down_wh)
    longest = np.full(len(length_m), (budget_j - 2 * nearest * transit_j) / patrol_j)
    if patrol_j > transit_j:
        longest = np.minimum(longest, (budget_j - 2 * distance * transit_j) / (patrol_j - transit_j))
    reached = 2 * distance * transit_j < budget_j
    # A piece at the very edge of reach: its own length bounds what its price may be.
    longest = np.maximum(longest, length_m)
    price = (fixed + np.maximum(2 * nearest, 2 * distance - longest) / transit_m_s) / longest
    return np.where(reached, length_m * (1 / crew.patrol_m_s + price), np.inf)


def _least_w(crew: Crew, slow: float, fast: float, wind: Wind) -> float:
    """No less power than at any true airspeed between two, metres a second, in any air, watts.

    At sea level none takes less than the slowest, the fastest, or cruise between them. In air between the thickest and
    the thinnest it is t P(v / t) with t from the one to the other; and of rotors not less than P(v).
    """
    craft, thickest, thinnest = crew.aircraft, crew.thickest, max(crew.thickest, wind.true_per_equivalent)

    def least(low: float, high: float) -> float:
        return float(craft.power_w([low, min(max(craft.cruise_m_s, low), high), high]).min())

    in_air_w = thickest * least(slow / thinnest, fast / thickest)
    return in_air_w if craft.has_wings else max(in_air_w, least(slow, fast))


def _up_down(crew: Crew) -> tuple[tuple[float, float], tuple[float, float]]:
    """Least time, seconds, and energy, watt hours, of the climb of a sortie, and of its descent."""
    craft = crew.aircraft
    up_s, down_s = crew.height_m / craft.climb_m_s, crew.height_m / craft.descent_m_s
    if craft.needs_runway:
        # They climb and come down on their way: that takes no time of its own, and no power but that of the climb.
        return (0.0, craft.climb_more_w() * up_s / 3600), (0.0, 0.0)
    hover_w = float(craft.power_w(0.0, level=False, thin=crew.thickest))
    return (up_s, (hover_w + craft.climb_more_w(level=False)) * up_s / 3600), (down_s, hover_w * down_s / 3600)
