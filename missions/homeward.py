"""What the way home takes from anywhere: the straight one, which an autopilot flies by itself."""

from __future__ import annotations

import numpy as np

from missions.effort import effort
from missions.fleet import Vehicle
from missions.plane import Plane
from missions.runway import approach_m
from missions.wind import Wind

__all__ = ["straight_effort", "straight_home"]


def straight_effort(
    vehicle: Vehicle, start: tuple[float, float], stop: tuple[float, float], rise_m: float, wind: Wind
) -> tuple[float, float]:
    """Time, seconds, and energy, watt hours, of a straight transit between two places, degrees.

    `rise_m` is flown on the spot at its end. Infinite where the wind is too strong for it. Nobody here knows how high
    it is flown: the time is that at sea level, where wings are slowest, the energy the larger of that at sea level and
    that in the thinnest air of the plan. With t the true by the equivalent airspeed, c the cruise, a and b the wind
    along and across the way, a metre takes wings t P(c) / (a + sqrt((t c)² - b²)): as t rises it falls, or falls and
    then rises, so that it is largest at one of the two ends. With the wind behind that may be the upper one, and of
    rotors, whose speed is the same in all air, it always is.
    """
    craft, step = vehicle.aircraft, Plane.at(*start).xy(*stop)
    steps, rises_m = np.array([step, [0.0, 0.0]]), np.array([0.0, rise_m])
    low, high = (
        effort(craft, steps, rises_m, speed_m_s=craft.cruise_m_s, wind=wind, patrol=False, amsl_m=amsl_m)
        for amsl_m in (min(wind.air_amsl_m, 0.0), wind.air_amsl_m)
    )
    return float(low[0].sum()), max(float(low[1].sum()), float(high[1].sum()))


def straight_home(vehicle: Vehicle, here: tuple[float, float], above_base_m: float, wind: Wind) -> tuple[float, float]:
    """Time, seconds, and energy, watt hours, from a place, degrees, straight to the base and down.

    A fixed wing is given the way out to where its landing begins, and the landing, besides, both against the wind.

    Parameters
    ----------
    vehicle
        Who flies.
    here
        Latitude and longitude, degrees.
    above_base_m
        Its height above the base, metres.
    wind
        The wind.
    """
    craft, base = vehicle.aircraft, vehicle.base
    time, energy = straight_effort(vehicle, here, (base.lat_deg, base.lon_deg), -max(above_base_m, 0.0), wind)
    landing_j = craft.landing_s * craft.hover_power_w + craft.transition_s * craft.transition_power_w
    if craft.needs_runway:
        # Against the wind a metre takes most in the thickest air, at the sea or below.
        air = min(wind.true_per_equivalent, 1.0)
        away_m = 2 * approach_m(craft, wind, max(above_base_m, 0.0))
        ground_m_s = max(craft.cruise_m_s * air - wind.speed_m_s, 1.0)
        time += away_m / ground_m_s
        energy += float(craft.power_w(craft.cruise_m_s * air, thin=air)) * away_m / ground_m_s / 3600
    return time + craft.landing_s + craft.transition_s, energy + max(wind.true_per_equivalent, 1.0) * landing_j / 3600
