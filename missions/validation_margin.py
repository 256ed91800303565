"""What validation expects a way and its fence to keep beyond the stand-off, from the figures of aircraft and wind.

Written anew from the sentences of `missions.clearance`, of which nothing is used: an error there has to show here.
"""

from __future__ import annotations

from typing import NamedTuple

from missions.aircraft import Aircraft
from missions.wind import Wind

__all__ = ["Gaps", "gaps"]

_OWN_PLACE_M = 3.5
_OWN_WAY_M = {"multirotor": 1.5, "fixed_wing": 3.0, "vtol": 3.0}


class Gaps(NamedTuple):
    """Least distances, metres: fence beyond the stand-off, way off the fence, way beyond the stand-off.

    `cut_m` is what a patrol leg keeps more, from both.
    """

    fence_m: float
    way_off_fence_m: float
    way_m: float
    cut_m: float


def gaps(aircraft: Aircraft, wind: Wind, true: float = 1.0) -> Gaps:
    """What must lie between stand-off, fence and way of an aircraft in a wind.

    `true` is its true airspeed by its equivalent one where that is greatest.
    """
    lost = _OWN_PLACE_M if aircraft.navigation_error_m is None else aircraft.navigation_error_m
    blown = _OWN_WAY_M[aircraft.form.value] if aircraft.technical_error_m is None else aircraft.technical_error_m
    gust = 1.5 * wind.speed_m_s if wind.gust_m_s is None else wind.gust_m_s
    if gust > 10.0:
        blown = blown * gust / 10.0
    behind = true + wind.speed_m_s / aircraft.cruise_m_s
    cut = aircraft.turn_radius_m * behind * behind / 2 if aircraft.has_wings else 0.0
    both = max(4.0 * (lost**2 + blown**2), (lost + 2.0 * blown) ** 2) ** 0.5
    return Gaps(lost, 2.0 * blown, both, cut)
