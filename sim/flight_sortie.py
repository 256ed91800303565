"""A sortie and what lies between two: a vehicle's clock, its record, its touch-down, the crew on the ground."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.flight_contact import CRASH_MPS
from sim.flight_modes import Mode
from sim.flight_record import FlightRecord, state_of
from sim.flight_state import Reached, Setup, Severity

if TYPE_CHECKING:
    from sim.flight import Flight

__all__ = ["Sortie"]

_RECORD_S = 0.2
_LANDINGS = frozenset({Mode.AUTO, Mode.RTL, Mode.LAND})


class Sortie:
    """The clock of one vehicle, in steps since power-on, and the moments on it that its rules count from.

    Parameters
    ----------
    setup
        The vehicle.

    Attributes
    ----------
    steps
        Steps since power-on.
    flown
        Whether it has flown since it was armed.
    count
        Sorties so far.
    """

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._record_every = max(1, round(_RECORD_S / setup.step_s))
        self._record: FlightRecord | None = None
        self._crew_at: int | None = None
        self.count = 0
        self.flown = False
        self.restart()

    def restart(self) -> None:
        """At power-on; what is recorded is written."""
        self._close_record()
        self.steps = self._armed_at = self._landed_at = self._began_at = 0

    @property
    def time_s(self) -> float:
        """Simulated seconds since power-on."""
        return self.steps * self._setup.step_s

    @property
    def since_start(self) -> int:
        """Steps since the sortie began."""
        return self.steps - self._began_at

    @property
    def is_served(self) -> bool:
        """Whether the crew is on its way to it."""
        return self._crew_at is not None

    def arm(self) -> None:
        """It is armed, and has not flown."""
        self.flown = False
        self._armed_at = self.steps

    def begin(self, flight: Flight) -> None:
        """Off the ground from rest: nothing that depends on how long the vehicle has waited remains."""
        body = flight.body
        body.place(body.e, body.n, body.ground, self._setup.heading_rad)
        flight.gimbal.neutral()
        flight.course.reset()
        flight.guard.reset()
        flight.landed, flight.demanded = False, None
        self.flown = True
        self._began_at = self.steps
        self.count += 1
        if self._setup.record_dir is not None:
            self._record = FlightRecord(self._setup.record_dir, self._setup.sysid, self.count)

    def touch_down(self, flight: Flight) -> None:
        """It comes to stand on the ground, however fast it was."""
        body = flight.body
        if body.vu < -CRASH_MPS and flight.armed and flight.ground is None:
            flight.say(Severity.CRITICAL, "Crash: Disarming")
        body.place(body.e, body.n, body.ground, body.yaw)
        flight.battery.power_w = 0.0
        flight.landed = True
        self._landed_at = self.steps
        if flight.mode == Mode.AUTO and flight.armed and not flight.wrecked:
            if flight.dialect.tells_landing:
                flight.tell(Reached(flight.run.index))
            flight.run.end()
        if not flight.armed:
            self._close(flight)
        elif flight.terminated:
            self._close_record()
        elif flight.wrecked:
            self.disarm(flight)

    def wait(self, flight: Flight) -> None:
        """Armed on the ground: after a while it is disarmed; not so once its flight was terminated."""
        if flight.terminated:
            return
        if self.flown and flight.dialect.landed_s and flight.mode in _LANDINGS:
            since, delay_s = self._landed_at, flight.dialect.landed_s
        elif self.flown:
            since, delay_s = self._landed_at, flight.params["DISARM_DELAY"]
        else:
            figure = flight.dialect.idle_figure
            since, delay_s = self._armed_at, flight.params[figure] if figure else 0.0
            delay_s = delay_s and max(delay_s, self._setup.idle_floor_s)
        if delay_s > 0.0 and (self.steps - since) * self._setup.step_s >= delay_s:
            self.disarm(flight)

    def disarm(self, flight: Flight) -> None:
        """Disarm; on the ground that ends the sortie."""
        flight.armed = False
        if flight.dialect.leaves_mode and not flight.terminated:
            flight.mode = flight.mode_on_ground
        flight.run.reset()
        flight.say(Severity.INFO, "Disarming motors")
        if flight.landed:
            self._close(flight)

    def _close(self, flight: Flight) -> None:
        """Write the record and call the crew."""
        self._close_record()
        if self.flown and flight.dialect.homes_landed:
            flight.course.home.move(flight.body.e, flight.body.n, flight.body.u)
        if self.flown and not flight.wrecked:
            self._crew_at = self.steps + round(self._setup.turnaround_s / self._setup.step_s)
            if self._setup.turnaround_s == 0.0:
                self.serve(flight)

    def crew(self, flight: Flight) -> None:
        """Let the crew do its work when it is there."""
        if self._crew_at is not None and self.steps >= self._crew_at:
            self.serve(flight)

    def serve(self, flight: Flight) -> None:
        """The ground crew sets the vehicle back on its pad with a full battery."""
        self._crew_at = None
        flight.battery.swap()
        if not flight.course.home.kept:
            flight.course.home.reset()
        flight.body.ground = 0.0
        flight.body.place(0.0, 0.0, 0.0, self._setup.heading_rad)
        flight.gimbal.neutral()

    def record(self, flight: Flight, *, now: bool = False) -> None:
        """Add a row where one is due, or `now`."""
        if self._record is not None and (now or self.since_start % self._record_every == 0):
            self._record.add(*state_of(flight))

    def _close_record(self) -> None:
        if self._record is not None:
            self._record.write()
            self._record = None
