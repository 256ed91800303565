"""What the battery of one flight is good for: the straight way home, at the thirst that the flight has shown so far."""

from __future__ import annotations

from autopilot.telemetry import Telemetry
from missions import Sortie, Vehicle, Wind, straight_home

__all__ = ["Charge"]

_GAUGE_PERCENT = 5.0


class Charge:
    """The battery of one flight.

    Parameters
    ----------
    vehicle, sortie
        Who flies what.
    """

    def __init__(self, vehicle: Vehicle, sortie: Sortie) -> None:
        self._vehicle, self._sortie = vehicle, sortie
        self._full_percent: float | None = None

    def short_wh(self, now: Telemetry, flown_s: float, wind: Wind, shares: float) -> float:
        """What it lacks to come straight home with a share of the reserve, watt hours; below 0 for enough.

        Parameters
        ----------
        now
            Of its vehicle; one that does not say where it is, or what it has left, is believed to have all.
        flown_s
            Since its take-off, seconds.
        wind
            On the way.
        shares
            Of its reserve, which is to be left.
        """
        craft = self._vehicle.aircraft
        if now.battery_percent is None or now.lat_deg is None or now.lon_deg is None:
            return -craft.battery_wh
        _, home_wh = straight_home(self._vehicle, (now.lat_deg, now.lon_deg), now.above_home_m or 0.0, wind)
        home_wh *= self._thirst(now.battery_percent, flown_s)
        keep_wh = shares * craft.reserve_fraction * craft.battery_wh
        return home_wh + keep_wh - now.battery_percent / 100 * craft.battery_wh

    def _thirst(self, percent: float, flown_s: float) -> float:
        """How much more it has used so far than it was planned to; at least 1."""
        if self._full_percent is None:
            self._full_percent = percent
        used_wh = (self._full_percent - percent) / 100 * self._vehicle.aircraft.battery_wh
        share = flown_s / self._sortie.duration_s
        # A gauge of whole percents says nothing of the first few.
        if self._full_percent - percent < _GAUGE_PERCENT or share <= 0:
            return 1.0
        return max(1.0, used_wh / (share * self._sortie.energy_wh))
