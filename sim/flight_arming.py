"""What speaks against arming a vehicle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.flight_modes import POSITION_MODES

if TYPE_CHECKING:
    from sim.flight import Flight

__all__ = ["refusals"]


def refusals(flight: Flight, *, being_served: bool) -> list[str]:
    """Reasons against arming in the present mode, as ArduCopter words them; `Dialect.word` has those of others."""
    reasons = []
    if flight.time_s < flight.setup.boot.healthy_s:
        reasons.append("Gyros still settling")
    if flight.mode in POSITION_MODES and not flight.has_position:
        reasons.append("Need Position Estimate")
    if being_served:
        reasons.append("Battery is being changed")
    elif flight.battery.remaining_pct <= flight.setup.power.low_pct:
        reasons.append("Battery 1 low")
    if flight.has_position and flight.guard.outside(flight.body):
        reasons.append("vehicle outside fence")
    if flight.wrecked:
        reasons.append("Vehicle is wrecked")
    return reasons
