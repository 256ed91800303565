"""What faults do to a vehicle, on a clock that no reboot sets back.

The effects follow the autopilots, the sources of which are named at each:

- GPS loss: when the filter has given up (`sim.flight_estimate`), the failsafe of a second later lands without a
  position, with the wind (ArduCopter's ``ekf_check.cpp``: ten checks at 10 Hz; FS_EKF_ACTION 1; PX4's Descend, which
  it reports as Land). A mode that needs no position goes on.
- GPS glitch: not believed at first, then the filter is set to it.
- Motor failure: four motors cannot do without one: the vehicle tumbles and is disarmed (``crash_check.cpp``). With six
  and more it flies on, weaker (``thrust_loss_check``: "Potential Thrust Loss"); the motor opposite carries little, so
  that n - 2 carry all: power over that of a whole airframe is sqrt(n / (n - 2)) (momentum theory: induced power goes
  with thrust^1.5 and the inverse root of the disc area).
- Gust: grows and dies as 1 - cos (the discrete gust of MIL-F-8785C).
- Battery: what is left is what the charge failsafes see; a dead cell shows in voltage and current.
- Reboot: clock, mode, streams and a half upload are lost, missions, fences and parameters are in storage.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import cos, pi, radians, sin, sqrt
from typing import Any

from sim.fault_station import Station
from sim.faults import (
    ARMED,
    POWER_ON,
    TAKE_OFF,
    BatteryFailure,
    Fault,
    Faults,
    GpsGlitch,
    GpsLoss,
    LinkFault,
    MissionRejected,
    MotorFailure,
    Reboot,
    SecondStation,
    WindGust,
)
from sim.flight import Flight
from sim.flight_state import POSITION_MODES, Mode, Reached, Severity

__all__ = ["FaultPlay"]

_EKF_CHECK_S = 1.0
_FEWEST_MOTORS = 6
_WEAKER = 0.5
# What is told when the position is lost, and when the mode is changed for it.
_TOLD = {
    "ardupilot": ("EKF variance", "EKF Failsafe: changed to LAND Mode"),
    "px4": ("", "Failsafe activated: Autopilot disengaged, switching to Descend"),
}


@dataclass(slots=True)
class _Part:
    """One fault and where it is in its course."""

    number: int
    fault: Fault
    event_s: float | None
    on: bool = False
    over: bool = False
    station: Station | None = None


class FaultPlay:
    """The faults of one vehicle.

    Parameters
    ----------
    faults
        Of the fleet.
    flight
        The vehicle; stepped from here.
    motors
        How many it has; 0 where it cannot do without any.
    reboot
        Starts the autopilot anew.
    """

    def __init__(self, faults: Faults, flight: Flight, *, motors: int, reboot: Callable[[], None]) -> None:
        self.sysid = flight.setup.sysid
        self._flight = flight
        self._motors = motors
        self._reboot = reboot
        self._steps = 0
        self._silent_until_s = 0.0
        self._lost_s = 0.0
        self._told = 0
        self._was_armed = self._was_up = False
        self._parts = [
            _Part(number, fault, 0.0 if fault.event == POWER_ON else None)
            for number, fault in enumerate(faults.all)
            if fault.happens_to(self.sysid)
        ]
        self._has_gps_faults = any(isinstance(part.fault, GpsLoss | GpsGlitch) for part in self._parts)
        self.link_faults: Sequence[tuple[int, LinkFault]] = ()
        self.stations: Sequence[Station] = ()
        self._turn()

    @property
    def time_s(self) -> float:
        """Simulated seconds since the power-on of the fleet."""
        return self._steps * self._flight.setup.step_s

    @property
    def silent(self) -> bool:
        """Whether the autopilot is starting, and neither hears nor speaks."""
        return self.time_s < self._silent_until_s

    def refusal(self, what: str) -> int | None:
        """MAV_MISSION_RESULT with which uploads to a list ("mission", "fence", "rally") are refused now, or None."""
        for part in self._parts:
            if part.on and isinstance(part.fault, MissionRejected) and part.fault.what in (what, "all"):
                return part.fault.result
        return None

    def step(self) -> None:
        """Advance vehicle and faults by one step of simulated time."""
        flight = self._flight
        flight.step()
        self._steps += 1
        self._see()
        self._turn()
        if self._has_gps_faults:
            self._watch_position()
        for part in self._parts:
            if part.on and part.event_s is not None:
                since_s = self.time_s - part.event_s - part.fault.from_s
                if part.station is not None:
                    part.station.step(since_s)
                elif isinstance(part.fault, WindGust):
                    self._blow()

    # --- when ------------------------------------------------------------------------------------------------------

    def _see(self) -> None:
        """Note the events of this step; each counts the first time."""
        flight = self._flight
        if flight.armed and not self._was_armed:
            self._happened(ARMED)
        if not (flight.landed or self._was_up):
            self._happened(TAKE_OFF)
        self._was_armed, self._was_up = flight.armed, not flight.landed
        # Only what came in this step: the owner empties the list between steps.
        self._told = min(self._told, len(flight.events))
        for event in flight.events[self._told :]:
            if isinstance(event, Reached):
                self._happened(f"item {event.seq - flight.dialect.first}")
        self._told = len(flight.events)

    def _happened(self, event: str) -> None:
        for part in self._parts:
            if part.event_s is None and part.fault.event == event:
                part.event_s = self.time_s

    def _turn(self) -> None:
        """Begin and end what begins and ends now."""
        turned = False
        for part in self._parts:
            if part.event_s is None or part.over:
                continue
            since_s = self.time_s - part.event_s
            if not part.on and since_s >= part.fault.from_s:
                part.on = turned = True
                begin = _BEGIN.get(type(part.fault))
                if begin is not None:
                    begin(self, part, part.fault)
            if part.on and since_s >= part.fault.end_s:
                part.on, part.over, turned = False, True, True
                end = _END.get(type(part.fault))
                if end is not None:
                    end(self, part, part.fault)
        if turned:
            on = [part for part in self._parts if part.on]
            self.link_faults = [(part.number, part.fault) for part in on if isinstance(part.fault, LinkFault)]
            self.stations = [part.station for part in on if part.station is not None]

    # --- what ------------------------------------------------------------------------------------------------------

    def _receive(self, *_: object) -> None:
        """The receiver as the GPS faults that are on leave it."""
        estimate = self._flight.estimate
        glitches = [part.fault for part in self._parts if part.on and isinstance(part.fault, GpsGlitch)]
        estimate.fix = not any(part.on and isinstance(part.fault, GpsLoss) for part in self._parts)
        estimate.glitch = (sum(each.east_m for each in glitches), sum(each.north_m for each in glitches))

    def _watch_position(self) -> None:
        """The filter, and the EKF failsafe a second after it has given up."""
        flight = self._flight
        dt_s = flight.setup.step_s
        flight.estimate.step(dt_s, flight.body)
        before_s = self._lost_s
        self._lost_s = 0.0 if flight.estimate.good or not flight.armed else before_s + dt_s
        if not (before_s < _EKF_CHECK_S <= self._lost_s) or flight.landed or flight.wrecked:
            return
        lost, changed = _TOLD[flight.dialect.name]
        if lost:
            flight.say(Severity.CRITICAL, lost)
        if flight.mode in POSITION_MODES:
            flight.set_mode(Mode.LAND)
            flight.say(Severity.CRITICAL, changed)
        if flight.mode == Mode.LAND:
            wind = flight.wind
            flight.course.drift_down((wind.mean_e_mps, wind.mean_n_mps))

    def _blow(self, *_: object) -> None:
        """The sum of the gusts of this moment."""
        east = north = 0.0
        for part in self._parts:
            if part.on and isinstance(part.fault, WindGust) and part.event_s is not None:
                gust, time_s = part.fault, self.time_s - part.event_s
                ramp = min(time_s - gust.from_s, gust.to_s - time_s, gust.rise_s) / gust.rise_s
                speed = gust.speed_mps * 0.5 * (1.0 - cos(pi * ramp))
                towards = radians(gust.from_deg) + pi
                east += speed * sin(towards)
                north += speed * cos(towards)
        self._flight.wind.squall = (east, north)

    def _stop_motor(self, *_: object) -> None:
        flight = self._flight
        if self._motors < _FEWEST_MOTORS:
            flight.wreck()
            return
        flight.say(Severity.CRITICAL, "Potential Thrust Loss (1)")
        flight.battery.effort *= sqrt(self._motors / (self._motors - 2))
        flight.body.accel_mps2 *= _WEAKER
        flight.body.climb_accel_mps2 *= _WEAKER

    def _fail_battery(self, _: _Part, fault: BatteryFailure) -> None:
        self._flight.battery.fail(fault.left_pct, 1.0 - fault.cells_lost / fault.cells)

    def _start_anew(self, _: _Part, fault: Reboot) -> None:
        self._reboot()
        self._was_armed = self._was_up = False
        self._silent_until_s = self.time_s + fault.silent_s

    def _call(self, part: _Part, fault: SecondStation) -> None:
        frame = self._flight.setup.frame
        part.station = Station(fault, self.sysid, (frame.lat_deg, frame.lon_deg))


_BEGIN: dict[type[Fault], Callable[[FaultPlay, _Part, Any], None]] = {
    GpsLoss: FaultPlay._receive,  # noqa: SLF001 (the tables are the class's own)
    GpsGlitch: FaultPlay._receive,  # noqa: SLF001
    MotorFailure: FaultPlay._stop_motor,  # noqa: SLF001
    BatteryFailure: FaultPlay._fail_battery,  # noqa: SLF001
    Reboot: FaultPlay._start_anew,  # noqa: SLF001
    SecondStation: FaultPlay._call,  # noqa: SLF001
}
_END: dict[type[Fault], Callable[[FaultPlay, _Part, Any], None]] = {
    GpsLoss: FaultPlay._receive,  # noqa: SLF001
    GpsGlitch: FaultPlay._receive,  # noqa: SLF001
    WindGust: FaultPlay._blow,  # noqa: SLF001
}
