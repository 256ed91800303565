"""What the way home takes from anywhere: the straight one, which an autopilot flies by itself."""

from __future__ import annotations

import numpy as np

from missions.fleet import Vehicle
from missions.flying import effort
from missions.plane import Plane
from missions.wind import Wind

__all__ = ["straight_effort", "straight_home"]


def straight_effort(
    vehicle: Vehicle, start: tuple[float, float], stop: tuple[float, float], rise_m: float, wind: Wind
) -> tuple[float, float]:
    """Time, seconds, and energy, watt hours, of a straight transit between two places, degrees.

    `rise_m` is flown on the spot at its end. Infinite where the wind is too strong for it.
    """
    plane = Plane.at(*start)
    step = plane.xy(*stop)
    steps = np.array([step, [0.0, 0.0]])
    times, energies = effort(
        vehicle.aircraft, steps, np.array([0.0, rise_m]), speed_m_s=vehicle.aircraft.cruise_m_s, wind=wind, patrol=False
    )
    return float(times.sum()), float(energies.sum())


def straight_home(vehicle: Vehicle, here: tuple[float, float], above_base_m: float, wind: Wind) -> tuple[float, float]:
    """Time, seconds, and energy, watt hours, from a place, degrees, straight to the base and down.

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
    landing_wh = (craft.landing_s * craft.hover_power_w + craft.transition_s * craft.climb_power_w) / 3600
    return time + craft.landing_s + craft.transition_s, energy + landing_wh
