"""The autopilot of one simulated vehicle: modes, arming, missions, failsafes, in steps of fixed length.

From the start of a sortie nothing here knows of the wall clock: the trajectory is a function of mission, parameters,
seed and of the orders that come during the flight.
"""

from __future__ import annotations

from math import degrees, hypot

from sim.flight_arming import refusals
from sim.flight_body import DRAG_PER_M
from sim.flight_conduct import act, begin_mode, go_on
from sim.flight_craft import craft
from sim.flight_doing import do_command
from sim.flight_estimate import Estimate
from sim.flight_gimbal import Gimbal
from sim.flight_guard import Demand, Guard
from sim.flight_items import Item
from sim.flight_mission import MissionRun
from sim.flight_power import Battery
from sim.flight_record import FlightRecord, state_of
from sim.flight_state import POSITION_MODES, Event, Mode, Reached, Setup, Severity, Text
from sim.flight_wind import WindField

__all__ = ["Flight"]

_RECORD_S = 0.2
_CHECK_S = 0.2
_CRASH_MPS = 3.0


class Flight:
    """One vehicle in the air or on the ground.

    Parameters
    ----------
    setup
        What it is.
    params
        Its parameter table, read live.
    mission
        Its stored mission, read live; item 0 is home.

    Attributes
    ----------
    mode, armed, landed
        State of the autopilot.
    wrecked
        Whether it has fallen or is falling, and will not fly again.
    in_landing_sequence
        Whether a return flies the landing of the mission without being in AUTO.
    events
        What the ground station is to be told; the owner empties it.
    """

    def __init__(self, setup: Setup, params: dict[str, float], mission: list[Item]) -> None:
        self.setup = setup
        self.dialect = setup.dialect
        self.params = self.dialect.figures_of(params)
        self.mission = mission
        self.battery = Battery(setup.power)
        self.estimate = Estimate(self.dialect)
        self.wind = WindField(setup.wind, setup.seed)
        self.gimbal = Gimbal()
        self.run = MissionRun(mission, self.dialect.rules.mission)
        self.guard = Guard(setup.frame, self.params, self.dialect.failsafes)
        self.events: list[Event] = []
        self.body, self.course = craft(setup, self.params, self.run, self.wind, do=self.do, tell=self.events.append)
        self.mode = self.dialect.boot_mode
        self._takeoff_up_m: float | None = None
        self.armed = False
        self.landed = True
        self.wrecked = False
        self.sorties = 0
        self._steps = 0
        self._paused = False
        self._flown = False
        self.in_landing_sequence = False
        self._armed_step = self._landed_step = self._sortie_step = 0
        self._crew_step: int | None = None
        self._record: FlightRecord | None = None
        self._record_every = max(1, round(_RECORD_S / setup.step_s))
        self._check_every = max(1, round(_CHECK_S / setup.step_s))
        self._crew()

    @property
    def time_s(self) -> float:
        """Simulated seconds since power-on."""
        return self._steps * self.setup.step_s

    @property
    def sortie_s(self) -> float:
        """Simulated seconds since the start of the sortie."""
        return (self._steps - self._sortie_step) * self.setup.step_s

    @property
    def has_position(self) -> bool:
        """Whether the position estimate is good."""
        return self.estimate.good and self.time_s >= self.setup.boot.position_s

    @property
    def storage_ready(self) -> bool:
        """Whether missions can be stored."""
        return self.time_s >= self.setup.boot.storage_s

    @property
    def place(self) -> tuple[float, float]:
        """Latitude and longitude at which it believes to be, degrees."""
        return self.setup.frame.to_geodetic(*(self.estimate.last or (self.body.e, self.body.n)))

    def true_yaw_deg(self, lat_deg: float, lon_deg: float) -> float:
        """True heading in [0, 360) at the vehicle's place."""
        return (degrees(self.body.yaw) + self.setup.frame.convergence_deg(lat_deg, lon_deg)) % 360.0

    def not_ready(self) -> list[str]:
        """Reasons against arming in the present mode."""
        return refusals(self, being_served=self._crew_step is not None)

    def say(self, severity: Severity, text: str) -> None:
        """Tell the ground station."""
        self.events.append(Text(severity, text))

    def arm(self, *, force: bool = False) -> bool:
        """Arm the motors; False with reasons as texts when it may not."""
        if self.armed:
            return True
        reasons = [] if force else self.not_ready()
        spec = self.dialect.spec(self.mode)
        may_auto = self.dialect.auto_armable or int(self.params["AUTO_OPTIONS"]) & 1
        if not spec.armable or (self.mode == Mode.AUTO and not may_auto):
            reasons.append(f"{spec.name} mode not armable")
        for reason in reasons:
            self.say(Severity.CRITICAL, self.dialect.arm_text.format(reason=self.dialect.word(reason)))
        if reasons:
            return False
        self.armed = True
        self._flown = False
        self._armed_step = self._steps
        self.say(Severity.INFO, "Arming motors")
        self._start_by_itself()
        return True

    def _start_by_itself(self) -> None:
        """Off the ground without another word, where the autopilot does so."""
        if not self.armed or not self.landed or self._flown:
            return
        if self.mode == Mode.AUTO and (self.dialect.auto_starts or int(self.params["AUTO_OPTIONS"]) & 2):
            self.start_mission()
        elif self.mode == Mode.TAKEOFF:
            self.take_off(self._takeoff_up_m or self.params["TAKEOFF_ALT"])

    def disarm(self, *, force: bool = False) -> bool:
        """Stop the motors on the ground; in the air only by force, and then it falls."""
        if self.armed and not self.landed:
            if not force:
                return False
            self._fall()
            return True
        if self.armed:
            self._end_sortie()
        return True

    def set_mode(self, mode: Mode) -> bool:
        """Change the mode; False with the reason as a text when it cannot be."""
        if mode == self.mode:
            return True
        reason = None
        if mode in POSITION_MODES and not self.has_position:
            reason = "requires position"
        elif mode == Mode.AUTO and len(self.mission) < 2:
            reason = "no mission"
        elif mode == Mode.AUTO and self.armed and self.landed and not self._can_lift_off:
            reason = "Missing Takeoff Cmd"
        if reason is not None:
            dialect = self.dialect
            text = dialect.mode_text.format(name=dialect.spec(mode).name, reason=dialect.word(reason))
            self.say(Severity.WARNING, text)
            return False
        self.mode = mode
        self._paused = False
        if not self.landed:
            begin_mode(self)
        else:
            self._start_by_itself()
        return True

    @property
    def _can_lift_off(self) -> bool:
        return self.run.starts_with_takeoff or self.dialect.lifts_off

    def start_mission(self) -> bool:
        """MAV_CMD_MISSION_START: into AUTO, and off the ground."""
        if not self.armed and self.dialect.start_arms:
            return self.set_mode(Mode.AUTO) and self.arm()
        if not self.armed or not self.set_mode(Mode.AUTO):
            return False
        if self.landed:
            if self._flown:
                return False
            self.run.reset()
            if not self._can_lift_off:
                self.say(Severity.WARNING, "Auto: Missing Takeoff Cmd")
                return False
            self._begin_sortie()
            if self.run.starts_with_takeoff:
                self.course.advance(1)
            else:
                self.course.take_off(self.params["TAKEOFF_ALT"])
            self._add_row()
        return True

    def take_off(self, up_m: float) -> bool:
        """Take off in GUIDED or TAKEOFF to a height above home, metres."""
        may = self.armed and self.landed and not self._flown
        if not may or self.mode not in (Mode.GUIDED, Mode.TAKEOFF) or up_m <= 0.0:
            return False
        self._begin_sortie()
        self.course.take_off(up_m)
        self._add_row()
        return True

    def order_takeoff(self, up_m: float) -> bool:
        """MAV_CMD_NAV_TAKEOFF: at once in GUIDED, or by the mode of that name where GUIDED is none."""
        if self.dialect.has(Mode.GUIDED):
            return self.take_off(up_m)
        self._takeoff_up_m = up_m if up_m > 0.0 else None
        return self.landed and self.set_mode(Mode.TAKEOFF)

    def go_to(self, item: Item) -> bool:
        """Fly straight to an item's place in GUIDED and stay there."""
        if self.mode != self.dialect.goto_mode or self.landed:
            return False
        self.course.go_to(self.course.point_of(item))
        return True

    def pause(self, *, go_on: bool) -> bool:
        """Stop and hold in AUTO, or go on."""
        if self.mode != Mode.AUTO or self.landed:
            return False
        if go_on and self._paused:
            self._paused = False
            self.course.advance(self.run.index, from_here=True)
        elif not go_on:
            self._paused = True
            self.course.hold()
        return True

    def new_mission(self) -> None:
        """The mission was replaced as a whole: it begins anew."""
        self.run.reset()
        if self.mode == Mode.AUTO and not self.landed:
            self.course.advance(1, from_here=True)

    def set_current(self, seq: int) -> bool:
        """Make a mission item the present one."""
        if not 0 <= seq < len(self.mission):
            return False
        if self.mode == Mode.AUTO and not self.landed:
            self.course.advance(max(seq, 1), from_here=True)
        else:
            self.run.index = seq
        return True

    def do(self, item: Item) -> bool:
        """Carry out a command that is not navigation; False when there is no such command or it is refused."""
        return do_command(self, item)

    def step(self) -> None:
        """Advance one step of simulated time."""
        self._steps += 1
        if not self.armed and self.landed:
            if self._crew_step is not None and self._steps >= self._crew_step:
                self._crew()
            return
        if self.landed:
            self._wait_on_ground()
            if (self._steps - self._sortie_step) % self._record_every == 0:
                self._add_row()
            return
        self._fly()
        since = self._steps - self._sortie_step
        if since % self._check_every == 0 and not self.wrecked:
            self._check()
        if since % self._record_every == 0:
            self._add_row()

    def _fly(self) -> None:
        body, dt = self.body, self.setup.step_s
        time_s = self.sortie_s
        velocity, yaw = self.course.wanted(time_s)
        gust = self.wind.gust(time_s)
        body.step(dt, velocity, yaw, self.wind.push(body.ve, body.vn, gust, DRAG_PER_M))
        self.gimbal.step(dt, body.e, body.n, body.u, body.yaw)
        wind_e, wind_n = self.wind.mean_e_mps + gust[0], self.wind.mean_n_mps + gust[1]
        self.battery.draw(dt, hypot(body.ve - wind_e, body.vn - wind_n), body.vu, body.load)
        if body.u <= 0.0 and body.vu < 0.0:
            self._touch_down()
        elif self.course.finished(time_s):
            go_on(self)

    def _wait_on_ground(self) -> None:
        if self._flown:
            since, delay_s = self._landed_step, self.params["DISARM_DELAY"]
        else:
            figure = self.dialect.idle_figure
            since, delay_s = self._armed_step, self.params[figure] if figure else 0.0
            delay_s = delay_s and max(delay_s, self.setup.idle_floor_s)
        if delay_s > 0.0 and (self._steps - since) * self.setup.step_s >= delay_s:
            self._end_sortie()

    def _check(self) -> None:
        """Fence and battery, five times a second."""
        self._obey(self.guard.check(self.body, self.battery, self.sortie_s))

    def gcs_lost(self) -> None:
        """The ground station is silent: what the parameters say of that."""
        if self.armed and not self.landed:
            self._obey(self.guard.gcs_lost())

    def _obey(self, demands: list[Demand]) -> None:
        for demand in demands:
            self.events.append(demand.text)
            self._fall() if demand.fall else act(self, demand.mode)

    def _begin_sortie(self) -> None:
        """Off the ground from rest: nothing that depends on how long the vehicle has waited remains."""
        body = self.body
        body.place(body.e, body.n, 0.0, self.setup.heading_rad)
        self.gimbal.neutral()
        self.course.reset()
        self.guard.reset()
        self.landed = False
        self._flown = True
        self._sortie_step = self._steps
        self.sorties += 1
        if self.setup.record_dir is not None:
            self._record = FlightRecord(self.setup.record_dir, self.setup.sysid, self.sorties)

    def _touch_down(self) -> None:
        body = self.body
        if body.vu < -_CRASH_MPS and self.armed:
            self.say(Severity.CRITICAL, "Crash: Disarming")
        body.place(body.e, body.n, 0.0, body.yaw)
        self.battery.power_w = 0.0
        self.landed = True
        self._landed_step = self._steps
        if self.mode == Mode.AUTO:
            self.events.append(Reached(self.run.index))
        if self.wrecked and self.armed:
            self._end_sortie()

    def _end_sortie(self) -> None:
        self.armed = False
        self.run.reset()
        self.say(Severity.INFO, "Disarming motors")
        if self._record is not None:
            self._record.write()
            self._record = None
        if self._flown and not self.wrecked:
            self._crew_step = self._steps + round(self.setup.turnaround_s / self.setup.step_s)
            if self.setup.turnaround_s == 0.0:
                self._crew()

    def _crew(self) -> None:
        """The ground crew sets the vehicle back on its pad with a full battery."""
        self._crew_step = None
        self.battery.swap()
        self.body.place(0.0, 0.0, 0.0, self.setup.heading_rad)
        self.gimbal.neutral()

    def wreck(self) -> None:
        """Nothing carries it any more: in the air it falls; no crew mends it."""
        self.wrecked = True
        if not self.landed:
            self._fall()

    def reboot(self) -> None:
        """Start anew: mission, fence and parameters are kept, all else is as at power-on; in the air it falls."""
        if not self.landed:
            self.wreck()
        if self._record is not None:
            self._record.write()
            self._record = None
        self.armed = False
        self.mode = self.dialect.boot_mode
        self._steps = self._armed_step = self._landed_step = self._sortie_step = 0
        self._paused = False
        self.run.reset()
        self.gimbal.neutral()
        self.events.clear()
        self.estimate.start(self.body)
        if self._flown and self.landed and not self.wrecked:
            self._crew()

    def _fall(self) -> None:
        if self.dialect.has(Mode.LAND):
            self.mode = Mode.LAND
        self.course.fall()

    def _add_row(self) -> None:
        if self._record is not None:
            self._record.add(*state_of(self))
