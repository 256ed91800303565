"""The autopilot of one simulated vehicle: modes, arming, missions, failsafes, in steps of fixed length.

From the start of a sortie nothing here knows of the wall clock: the trajectory is a function of mission, parameters,
seed and of the orders that come during the flight.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from math import degrees, hypot

from geo import FlatTerrain
from sim.flight_arming import all_skipped, arm_refusals, mode_refusal, refusals
from sim.flight_body import DRAG_PER_M
from sim.flight_conduct import act, begin_mode, demanded, go_on, look_at_hold
from sim.flight_contact import meets_ground
from sim.flight_craft import craft
from sim.flight_doing import do_command
from sim.flight_estimate import Estimate
from sim.flight_gimbal import Gimbal
from sim.flight_ground import Ground
from sim.flight_guard import Demand, Guard
from sim.flight_items import Item
from sim.flight_mission import MissionRun
from sim.flight_posts import Posts
from sim.flight_power import Battery
from sim.flight_sortie import Sortie
from sim.flight_state import Event, Mode, Reached, Setup, Severity, Text
from sim.flight_steering import Steering
from sim.flight_sticks import Hands
from sim.flight_terrain import TerrainMap
from sim.flight_wind import WindField

__all__ = ["Flight"]

_CHECK_S = 0.2
_TERRAIN_LOST_S = 5.0
_GOES_ON_UNHEARD = 2  # FS_OPTIONS of ArduCopter: on with the mission when the ground station is lost


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
    terminated
        Whether an order or failsafe has ended its flight, which PX4 does not forget before it boots anew.
    demanded
        Until when of the sortie it holds, and what a failsafe has demanded for then; None where none has.
    coming_fence
        When a fence that was taken comes into force, and what does that; None where none is to come.
    unheard
        Whether it hears no ground station and may not arm for that.
    steering, hands
        What it is told beside its mission, and who is at its sticks.
    in_landing_sequence
        Whether a return flies the landing of the mission without being in AUTO.
    ground, terrain
        The ground as it is, None where it is flat, and as the autopilot knows it.
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
        self.events: list[Event] = []
        self.body, self.course = craft(setup, self.params, self.run, self.wind, do=self.do, tell=self.tell)
        self.guard = Guard(setup.frame, self.params, self.dialect.failsafes, self.course.home)
        frame, land = setup.frame, setup.terrain
        self.ground = None if land is None else Ground(land, frame)
        card = Posts(FlatTerrain(setup.home_amsl_m)) if land is None else land if setup.terrain_on_card else None
        self.terrain = TerrainMap((frame.lat_deg, frame.lon_deg), params, card)
        if self.ground is not None:
            self.course.fly_over(lambda e, n: self.terrain.above_home_m(*frame.to_geodetic(e, n)))
        self.mode = self.mode_on_ground = self.dialect.boot_mode
        self._takeoff_up_m: float | None = None
        self.armed = False
        self.landed = True
        self.wrecked = False
        self.terminated = False
        self.demanded: tuple[float, Mode | None] | None = None
        self.coming_fence: tuple[float, Callable[[], None]] | None = None
        self.unheard = False
        self._told_end = False
        self.in_landing_sequence = False
        self._check_every = max(1, round(_CHECK_S / setup.step_s))
        self.steering = Steering(self)
        self.hands = Hands(self)
        self._sortie = Sortie(setup)
        self._sortie.serve(self)

    @property
    def sorties(self) -> int:
        """How many it has flown or is flying."""
        return self._sortie.count

    @property
    def time_s(self) -> float:
        """Simulated seconds since power-on."""
        return self._sortie.time_s

    @property
    def sortie_s(self) -> float:
        """Simulated seconds since the start of the sortie."""
        return self._sortie.since_start * self.setup.step_s

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
        return refusals(self, being_served=self._sortie.is_served)

    def tell(self, event: Event) -> None:
        """Tell the ground station what has come about in this step."""
        self.events.append(replace(event, step=self._sortie.steps) if isinstance(event, Reached) else event)

    def say(self, severity: Severity, text: str) -> None:
        """Tell the ground station."""
        self.events.append(Text(severity, text))

    def arm(self, *, force: bool = False) -> bool:
        """Arm the motors; False with reasons as texts when it may not."""
        if self.armed:
            return True
        reasons = arm_refusals(self, [] if force else self.not_ready())
        if reasons:
            self._tell_reasons(self.dialect.arm_text, reasons)
            return False
        if all_skipped(self.params) and not force:
            self.say(Severity.WARNING, "Warning: Arming Checks Disabled")
        self.armed = True
        self._sortie.arm()
        self.say(Severity.INFO, "Arming motors")
        self._start_by_itself()
        return True

    def tell_reasons(self) -> None:
        """Tell what speaks against arming in the present mode."""
        self._tell_reasons(self.dialect.check_text, self.reasons())

    def reasons(self) -> list[str]:
        """What speaks against arming in the present mode, and of that mode itself where its checks say so."""
        return self.not_ready() if self.dialect.lists_checks else arm_refusals(self, self.not_ready())

    def _tell_reasons(self, form: str, reasons: list[str]) -> None:
        for text in dict.fromkeys(form.format(reason=self.dialect.word(reason)) for reason in reasons):
            self.say(Severity.CRITICAL, text)

    def _start_by_itself(self) -> None:
        """Off the ground without another word, where the autopilot does so."""
        if not self.armed or not self.landed or self._sortie.flown:
            return
        if self.mode == Mode.AUTO and (self.dialect.auto_starts or int(self.params["AUTO_OPTIONS"]) & 2):
            self.start_mission()
        elif self.mode == Mode.TAKEOFF:
            self.take_off(self._takeoff_up_m or self.params["TAKEOFF_ALT"])

    def disarm(self, *, force: bool = False) -> bool:
        """Stop the motors; in the air and once terminated only by force, and then it falls, disarmed."""
        if self.armed and (self.terminated or not self.landed):
            if not force:
                return False
            if not self.landed:
                self._fall()
        if self.armed:
            self._sortie.disarm(self)
        return True

    def terminate(self) -> bool:
        """End the flight where it is. ArduPilot disarms; PX4 stays armed until somebody disarms it by force."""
        if self.landed or not self.dialect.terminates_armed:
            return self.disarm(force=True)
        self.terminated = True
        self._fall()
        self.mode = Mode.TERMINATION
        return True

    def set_mode(self, mode: Mode) -> bool:
        """Change the mode; False with the reason as a text when it cannot be."""
        if mode == self.mode or self.terminated:
            return not self.terminated
        chooses = self.dialect.chooses_disarmed and not self.armed and self.landed
        reason = None if chooses else mode_refusal(self, mode)
        if reason is not None:
            dialect = self.dialect
            name = dialect.word(dialect.spec(mode).name)
            severity = Severity.CRITICAL if dialect.mode_critical else Severity.WARNING
            self.say(severity, dialect.mode_text.format(name=name, reason=dialect.word(reason)))
            return False
        self.mode = mode
        if self.dialect.spec(mode).armable:
            self.mode_on_ground = mode
        self.steering.forget()
        if not self.landed:
            begin_mode(self)
        else:
            self._start_by_itself()
        return True

    @property
    def can_lift_off(self) -> bool:
        """Whether AUTO would take off."""
        return self.run.starts_with_takeoff or self.dialect.lifts_off

    def start_mission(self) -> bool:
        """MAV_CMD_MISSION_START: into AUTO, and off the ground."""
        if not self.armed and self.dialect.start_arms:
            return self.set_mode(Mode.AUTO) and self.arm()
        if not self.armed or not self.set_mode(Mode.AUTO):
            return False
        if self.landed:
            if self._sortie.flown:
                return False
            self.run.reset()
            if not self.can_lift_off:
                self.say(Severity.WARNING, "Auto: Missing Takeoff Cmd")
                return False
            self._sortie.begin(self)
            if self.run.starts_with_takeoff:
                self.course.advance(1)
            else:
                self.course.take_off(self.params["TAKEOFF_ALT"])
            self._sortie.record(self, now=True)
        return True

    def take_off(self, up_m: float) -> bool:
        """Take off in GUIDED or TAKEOFF to a height above home, metres."""
        if self.mode not in (Mode.GUIDED, Mode.TAKEOFF) or up_m <= 0.0:
            return False
        return self.lift_off(partial(self.course.rise, up_m))

    def lift_off(self, start: Callable[[], None]) -> bool:
        """Begin a sortie by what is flown first, where one may begin."""
        if not self.armed or not self.landed or self._sortie.flown:
            return False
        self._sortie.begin(self)
        start()
        self._sortie.record(self, now=True)
        return True

    def order_takeoff(self, up_m: float) -> bool:
        """MAV_CMD_NAV_TAKEOFF: at once in GUIDED, or by the mode of that name where GUIDED is none."""
        if self.dialect.has(Mode.GUIDED):
            return self.take_off(up_m)
        self._takeoff_up_m = up_m if up_m > 0.0 else None
        return self.landed and self.set_mode(Mode.TAKEOFF)

    def new_mission(self) -> None:
        """The mission was replaced as a whole: it begins anew."""
        self.run.renew()
        if self.mode == Mode.AUTO and not self.landed:
            self.course.advance(1, from_here=True)

    def set_current(self, seq: int) -> bool:
        """Make a mission item the present one."""
        if not 0 <= seq < len(self.mission):
            return False
        if self.mode == Mode.AUTO and not self.landed:
            self.course.advance(max(seq, 1), from_here=True)
        else:
            self.run.index, self.run.complete = seq, False
        return True

    def land_by_mission(self) -> bool:
        """Go on with the landing sequence of the mission; False where it has none."""
        seq = self.run.land_start(or_landing=False)
        if seq is None:
            return False
        self.run.index = seq
        return self.set_mode(Mode.AUTO) if self.mode != Mode.AUTO else self.set_current(seq)

    def do(self, item: Item) -> bool:
        """Carry out a command that is not navigation; False when there is no such command or it is refused."""
        return do_command(self, item)

    def step(self) -> None:
        """Advance one step of simulated time."""
        sortie = self._sortie
        sortie.steps += 1
        if self.coming_fence is not None and self.time_s >= self.coming_fence[0]:
            load, self.coming_fence = self.coming_fence[1], None
            load()
        if self.landed and self.gimbal.moves:
            self.gimbal.step(self.setup.step_s, self.body.e, self.body.n, self.body.u, self.body.yaw)
        if not self.armed and self.landed:
            sortie.crew(self)
            return
        if self.landed:
            sortie.wait(self)
        else:
            self._fly()
            if sortie.since_start % self._check_every == 0 and not self.wrecked:
                self._check()
        sortie.record(self)

    def _fly(self) -> None:
        body, dt = self.body, self.setup.step_s
        time_s = self.sortie_s
        velocity, yaw = self.course.wanted(time_s)
        gust = self.wind.gust(time_s)
        body.step(dt, velocity, yaw, self.wind.push(body.ve, body.vn, gust, DRAG_PER_M))
        self.gimbal.step(dt, body.e, body.n, body.u, body.yaw)
        wind_e, wind_n = self.wind.mean_e_mps + gust[0], self.wind.mean_n_mps + gust[1]
        airspeed = hypot(body.ve - wind_e, body.vn - wind_n)
        self.battery.draw(dt, airspeed, body.vu, body.load, body.true_per_equivalent)
        if meets_ground(self):
            self._sortie.touch_down(self)
        elif self.course.finished(time_s):
            go_on(self)

    def _check(self) -> None:
        """Fence, battery and terrain, five times a second."""
        look_at_hold(self)
        self.obey(self.guard.check(self.body, self.battery, self.sortie_s))
        if self.ground is not None and self.ground.ended and not self._told_end:
            self._told_end = True
            self.say(Severity.WARNING, "Simulated terrain ends here")
        if self.course.unknown_s(self.sortie_s) > _TERRAIN_LOST_S:
            self.obey([Demand(Text(Severity.CRITICAL, "Failsafe: Terrain data missing"), Mode.RTL)])

    def gcs_lost(self) -> None:
        """The ground station is silent: what the parameters say of that."""
        if not self.armed or self.landed:
            return
        if self.mode == Mode.AUTO and int(self.params["FS_OPTIONS"]) & _GOES_ON_UNHEARD:
            self.say(Severity.WARNING, "GCS Failsafe - Continuing Auto Mode")
        else:
            self.obey(self.guard.gcs_lost())

    def targets_lost(self) -> None:
        """Nobody steers it any more."""
        if self.armed:
            self.obey(self.guard.targets_lost())

    def obey(self, demands: list[Demand]) -> None:
        """Do what failsafes demand."""
        for demand in demands:
            self.events.append(demand.text)
            if not demand.fall:
                (demanded if demand.waits else act)(self, demand.mode)
            elif self.battery.remaining_pct > 0.0:
                self.terminate()
            else:
                self._fall()  # armed as it is: nothing turns its motors any more

    def crash(self) -> None:
        """It has hit the ground, and will not fly again."""
        self.wrecked = True
        if self.armed:
            self.say(Severity.CRITICAL, "Crash: Disarming")

    def wreck(self) -> None:
        """Nothing carries it any more: in the air it falls; no crew mends it."""
        self.wrecked = True
        if not self.landed:
            self._fall()

    def reboot(self) -> None:
        """Start anew: mission, fence and parameters are kept, all else is as at power-on; in the air it falls."""
        if not self.landed:
            self.wreck()
        self.armed = self.terminated = False
        self.mode = self.mode_on_ground = self.dialect.boot_mode
        self._sortie.restart()
        self.gimbal.control = (0, 0)
        self.steering.forget()
        self.run.renew()
        self.course.home.reset()
        self.gimbal.neutral()
        self.events.clear()
        self.estimate.start(self.body)
        if self._sortie.flown and self.landed and not self.wrecked:
            self._sortie.serve(self)

    def _fall(self) -> None:
        if self.dialect.has(Mode.LAND):
            self.mode = Mode.LAND
        self.course.fall()
