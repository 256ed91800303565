"""What a vehicle tells by itself of its pre-arm checks."""

from __future__ import annotations

from sim.flight import Flight

__all__ = ["CheckTeller"]

_LOOK_WALL_S = 0.5
_SETTLED_S = 20.0  # what changes at first after power-on is told once it is over


class CheckTeller:
    """Tells what speaks against arming: every so often (ArduPilot), or what has changed (PX4); seldom by the wall.

    Parameters
    ----------
    flight
        Whose checks.
    """

    def __init__(self, flight: Flight) -> None:
        self._flight = flight
        self._looked_s = 0.0
        self._due_s = flight.dialect.check_every_s or _SETTLED_S
        self._told: list[str] = []

    def update(self, now_s: float) -> None:
        """Tell what is due at a time of the vehicle's clock, seconds of the wall or of its lock-step."""
        flight = self._flight
        if flight.armed or flight.time_s < self._due_s or now_s < self._looked_s + _LOOK_WALL_S:
            return
        self._looked_s = now_s
        reasons, every_s = flight.reasons(), flight.dialect.check_every_s
        if every_s is None and reasons == self._told:
            return
        self._told, self._due_s = reasons, flight.time_s + (every_s or 0.0)
        flight.tell_reasons()
