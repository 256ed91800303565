"""Who is at the sticks of a vehicle: it is flown by hand, taken over, or misses whoever was there."""

from __future__ import annotations

from dataclasses import astuple
from typing import TYPE_CHECKING

from sim.dialect_terms import Form
from sim.flight_by_hand import DEAD_THROTTLE, Sticks
from sim.flight_conduct import begin_mode
from sim.flight_modes import Mode
from sim.flight_state import Severity

if TYPE_CHECKING:
    from sim.flight import Flight

__all__ = ["Hands"]

_AUTO_BIT, _OFFBOARD_BIT = 1, 2  # of COM_RC_OVERRIDE
_EXCEPTED = {Mode.AUTO: 1, Mode.LOITER: 2, Mode.OFFBOARD: 4}  # bits of COM_RCL_EXCEPT
_TAKEN_OVER = frozenset({Mode.AUTO, Mode.LOITER, Mode.RTL, Mode.LAND, Mode.TAKEOFF, Mode.ORBIT})


class Hands:
    """Who holds the sticks of one vehicle.

    Attributes
    ----------
    sticks
        Where they are; None while nobody holds them.
    """

    def __init__(self, flight: Flight) -> None:
        self._flight = flight
        self.sticks: Sticks | None = None

    @property
    def fly(self) -> bool:
        """Whether it is flown by them now."""
        return self.sticks is not None and self._flight.mode in self._flight.dialect.stick_modes

    def begin(self) -> None:
        """Fly by them from now on."""
        self._flight.course.by_hand(lambda: self.sticks or Sticks())

    def take(self, sticks: Sticks) -> None:
        """They are here now."""
        flight, before = self._flight, self.sticks
        self.sticks = sticks
        if self._takes_over(sticks, before or Sticks()) and flight.set_mode(Mode.POSITION):
            flight.say(Severity.INFO, "Pilot took over using sticks\t")
        elif self.fly and flight.landed:
            if flight.dialect.form is Form.ROTOR and sticks.up > DEAD_THROTTLE:
                flight.lift_off(self.begin)
        elif self.fly and before is None:
            self.begin()

    def let_go(self) -> None:
        """Nobody holds them any more. PX4 misses whoever did (failsafe.cpp), unless COM_RCL_EXCEPT says otherwise."""
        flight, flown = self._flight, self.fly
        self.sticks = None
        if flight.landed:
            return
        if flight.dialect.misses_sticks and not int(flight.params["COM_RCL_EXCEPT"]) & _EXCEPTED.get(flight.mode, 0):
            flight.obey(flight.guard.sticks_lost())
        elif flown:
            begin_mode(flight)

    def _takes_over(self, sticks: Sticks, before: Sticks) -> bool:
        """Whether a mode that flies by itself gives way: to rotors of PX4 (Commander.cpp), where one moves far."""
        flight = self._flight
        if not flight.dialect.misses_sticks or not flight.armed or flight.dialect.form is Form.WING or flight.body.load:
            return False
        bits = int(flight.params["COM_RC_OVERRIDE"])
        auto = bits & _AUTO_BIT and flight.mode in _TAKEN_OVER
        if not auto and not (bits & _OFFBOARD_BIT and flight.mode is Mode.OFFBOARD):
            return False
        far = flight.params["COM_RC_STICK_OV"] / 100.0
        return any(abs(now - then) > far for now, then in zip(astuple(sticks), astuple(before), strict=True))
