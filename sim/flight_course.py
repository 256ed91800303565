"""The course of a vehicle: the tasks it flies, one after the other, and where new orders put them.

It knows the mission and the speeds, not the modes: `Flight` decides which order is given when.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from math import hypot, isfinite, radians

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.flight_body import Body
from sim.flight_by_hand import ByHand, Sticks
from sim.flight_conditions import Kept
from sim.flight_home import Home
from sim.flight_items import Item
from sim.flight_mission import NAMES, TAKEOFFS, MissionRun
from sim.flight_orders import landing, limits_from, nearest_goal, place_of, return_home, stopping_point, tasks_of
from sim.flight_over import OverGround, above
from sim.flight_state import Event, Mode, Reached, Setup, Severity, Text
from sim.flight_tasks import Drift, Drive, Fall, Hold, Leg, Orbit, Task, Vector
from sim.flight_terrain import TERRAIN_FRAMES
from sim.flight_wind import WindField

__all__ = ["Course"]

# Places on the way home at which the terrain has to be known for a return above it.
_LOOKS = 20
_SPEED_NAMES = {0: "speed", 1: "speed", 2: "up", 3: "down"}


class Course:
    """What is being flown.

    Parameters
    ----------
    setup, params, body
        The vehicle; parameters and body are read live.
    run
        Its place in the mission.
    do
        Carries out a command that is not navigation.
    tell
        Takes events for the ground station.
    """

    def __init__(
        self,
        setup: Setup,
        params: Mapping[str, float],
        body: Body,
        run: MissionRun,
        *,
        do: Callable[[Item], object],
        tell: Callable[[Event], None],
    ) -> None:
        self._setup = setup
        self._params = params
        self._body = body
        self._run = run
        self._do = do
        self._tell = tell
        self._tasks: deque[Task] = deque()
        self._origin: Vector | None = None
        self._yaw = setup.heading_rad
        self._yaw_held = False
        self._ground_up: Callable[[float, float], float | None] | None = None
        self._known_m = 0.0
        self._above = False
        self._kept = Kept()
        self.home = Home()
        self.rally_items: Sequence[Item] = ()
        self.limits = limits_from(params)

    def reset(self) -> None:
        """As at the start of a sortie: the speeds of the parameters, the heading of the pad."""
        self.limits = limits_from(self._params)
        self._tasks.clear()
        self._origin = None
        self._yaw, self._yaw_held = self._setup.heading_rad, False

    def speeds_of_parameters(self) -> None:
        """Forget changes of speed, as a change of mode does."""
        self.limits = limits_from(self._params)
        self._origin = None

    # --- every step ------------------------------------------------------------------------------------------------

    def wanted(self, time_s: float) -> tuple[Vector, float]:
        """Velocity and grid yaw to fly now."""
        for seq, item in self._kept.due(time_s, self._away_m):
            self._carry_out(seq, item)
        task = self._tasks[0]
        if task.yaw is not None and not self._yaw_held:
            self._yaw = task.yaw
        return task.velocity(self._body, time_s), self._yaw

    def finished(self, time_s: float) -> bool:
        """Drop a task that is done; whether it was the last of its order."""
        if not self._tasks[0].done(self._body, time_s):
            return False
        self._tasks.popleft()
        return not self._tasks

    @property
    def lands(self) -> bool:
        """Whether what is flown now ends on the ground."""
        return bool(getattr(self._tasks[0], "lands", False))

    @property
    def target(self) -> Vector | None:
        """Where it flies to or stays, where that is a place."""
        task = self._tasks[0] if self._tasks else None
        found: Vector | None = getattr(task, "stop", getattr(task, "point", None))
        return found

    @property
    def goal(self) -> Vector:
        """The last place of what it was told to fly, or where it is where there is none."""
        for task in reversed(self._tasks):
            for name in ("centre", "stop", "point"):
                if hasattr(task, name):
                    place: Vector = getattr(task, name)
                    return place
        return self._here

    @property
    def rolling(self) -> bool:
        """Whether it runs along the ground to take off."""
        return False

    def unknown_s(self, time_s: float) -> float:
        """For how many seconds it has flown above ground that it does not know."""
        task = self._tasks[0] if self._tasks else None
        since_s = task.unknown_since_s if isinstance(task, OverGround) else None
        return 0.0 if since_s is None else time_s - since_s

    # --- orders ----------------------------------------------------------------------------------------------------

    def take_off(self, up_m: float) -> None:
        """Straight up to a height above home."""
        here = (self._body.e, self._body.n, 0.0)
        self._fly(Leg(here, (here[0], here[1], up_m), self.limits))

    def rise(self, up_m: float) -> None:
        """Take off by an order of its own: what has rotors stays at that height, above where it stood."""
        here, there = (self._body.e, self._body.n, 0.0), (self._body.e, self._body.n, up_m)
        self._fly(Leg(here, there, self.limits), Hold(there, self.limits))

    def go_to(self, point: Vector) -> None:
        """Straight to a point, and stay there."""
        self._fly(Leg(self._here, point, self.limits), Hold(point, self.limits))

    def drive(self, velocity: Vector, until_s: float) -> None:
        """At a velocity until a time of the sortie, no faster than its limits."""
        self._fly(Drive(velocity, self.limits, until_s))

    def orbit(self, centre: Vector, radius_m: float, speed_mps: float, *, faces: bool) -> None:
        """Round a centre (`Orbit`)."""
        self._yaw_held = False
        self._fly(Orbit(centre, radius_m, speed_mps, self.limits, faces=faces))

    def by_hand(self, read: Callable[[], Sticks]) -> None:
        """As the sticks say."""
        self._yaw_held = False
        up, down = (self._params[f"PILOT_SPEED_{way}"] / 100.0 for way in ("UP", "DN"))
        self._fly(ByHand(read, self._params["LOIT_SPEED"] / 100.0, up, down or up))

    def go_to_item(self, item: Item) -> None:
        """To the place of an item, and stay there."""
        point = self.point_of(item)
        if self._is_above(item):
            with self._above_ground():
                self.go_to((point[0], point[1], item.z))
        else:
            self.go_to(point)

    def hover(self) -> None:
        """Stay in a place on rotors, if there are any."""
        self.hold()

    def hover_home(self) -> None:
        """Return and land on rotors, if there are any."""
        self.go_home()

    def landing_sequence(self) -> int | None:
        """Sequence number at which a return goes on with the mission's landing; None for a return of its own."""
        return None

    def landing_after_return(self) -> int | None:
        """Sequence number at which the mission's landing begins, where a return goes on to it from home."""
        return None

    def follow_up(self) -> Mode | None:
        """The mode in which a return that has come to its end goes on; None where nothing follows."""
        return None

    def fly_over(self, ground_up: Callable[[float, float], float | None]) -> None:
        """The ground as the autopilot knows it, by east and north; without it heights above terrain are above home."""
        self._ground_up = ground_up

    def fly_in(self, wind: WindField) -> None:
        """The air around; before the first step. Rotors hold their velocity against it by themselves."""

    def change_over(self) -> None:
        """Go over at once to what a transition has asked for."""

    def transition(self, state: float) -> bool:  # noqa: ARG002 (rotors alone cannot)
        """MAV_CMD_DO_VTOL_TRANSITION to a MAV_VTOL_STATE; whether it can."""
        return False

    def put_by(self) -> Callable[[], None]:
        """Brake, and stay there; what goes on with what was flown."""
        resume = partial(self._fly, *self._tasks)
        self.hold()
        return resume

    def hold(self) -> None:
        """Brake, and stay there."""
        self._fly(Hold(stopping_point(self._body, self.limits), self.limits))

    def land(self) -> None:
        """Brake and sink to the ground."""
        there = stopping_point(self._body, self.limits)
        self._fly(landing((there[0], there[1]), self._params, self.limits))

    def drift_down(self, wind_mps: tuple[float, float]) -> None:
        """Sink level, wherever the wind (east, north) blows: without a position there is nothing to hold."""
        self._fly(Drift(landing((self._body.e, self._body.n), self._params, self.limits), wind_mps))

    def fall(self) -> None:
        """Drop out of the sky; no order changes that until the next sortie."""
        self._fly(Fall())

    def go_home(self) -> None:
        """Return to home or a rally point and land there, at RTL_SPEED or WPNAV_SPEED as ArduCopter does.

        With RTL_ALT_TYPE 1 its height is one above the terrain, where that is known all the way.
        """
        self.limits = limits_from(self._params, self._params["RTL_SPEED"] / 100.0)
        self._origin = None
        self._yaw_held = False
        with self._above_ground() if self._returns_above() else nullcontext():
            tasks, rally = return_home(self._body, self._params, self.limits, self._rally(), self.home.at)
            self._say("Returning to rally point" if rally else "Returning home")
            self._fly(*tasks)

    def advance(self, seq: int, *, from_here: bool = False) -> None:
        """Fly the mission on from an item; from where the vehicle is rather than from the last place if so asked."""
        if from_here:
            self._origin = None
        kept = Kept()
        item = self._run.advance(seq, partial(self._act, kept))
        if item is None:
            self._say("Mission: complete")
            self.hold()
            return
        if self._setup.dialect.tells_items:
            self._say(f"Mission: {self._run.index} {NAMES[item.command]}")
        if item.command == mav.MAV_CMD_NAV_RETURN_TO_LAUNCH:
            self._do(item)
            if self._setup.dialect.tells_pauses:
                self._run.end()
            return
        start = self._here if self._origin is None else self._origin
        place = self._place(item, start)
        ahead: list[Vector] = []
        for later in self._run.ahead():
            ahead.append(self._place(later, ahead[-1] if ahead else place))
        self._yaw_held = self._yaw_held and item.command != mav.MAV_CMD_NAV_WAYPOINT
        if self._is_above(item):
            low, on = self._lowered(start), [self._lowered(point) for point in ahead]
            with self._above_ground():
                self._fly(*self._tasks_of(item, low, (place[0], place[1], item.z), on))
        else:
            self._fly(*self._tasks_of(item, start, place, ahead))
        self._origin = self._origin_after(item, start, place)
        self._kept = kept

    def _act(self, kept: Kept, seq: int, item: Item) -> None:
        """What has no place of its own: at once, but for what waits for a condition."""
        if not kept.keeps(seq, item):
            self._carry_out(seq, item)

    def _carry_out(self, seq: int, item: Item) -> None:
        """Do what has no place of its own, and say so."""
        if self._setup.dialect.tells_items and item.command in NAMES:
            self._say(f"Mission: {seq} {NAMES[item.command]}")
        self._do(item)
        if item.command not in self._setup.dialect.untold:
            self._tell(Reached(seq))

    def _tasks_of(self, item: Item, start: Vector, place: Vector, ahead: list[Vector]) -> list[Task]:
        """What a navigation command means, from a start to its place and on to those ahead."""
        return tasks_of(item, start, place, ahead, params=self._params, limits=self.limits)

    def _origin_after(self, item: Item, start: Vector, place: Vector) -> Vector | None:
        """Where the leg after a command begins; None for where the vehicle then is."""
        if item.command in TAKEOFFS:
            return start[0], start[1], place[2]
        if item.command == mav.MAV_CMD_NAV_LOITER_TURNS:
            return None
        return start if item.command == mav.MAV_CMD_NAV_DELAY else place

    def change_speed(self, kind: float, speed_mps: float) -> bool:
        """MAV_CMD_DO_CHANGE_SPEED: 0 and 1 along the ground, 2 climbing, 3 descending; to PX4 all are the same."""
        name = _SPEED_NAMES.get(int(kind)) if isfinite(kind) else None
        if self._setup.dialect.name == "px4":
            name = "speed"
        if name is None or not speed_mps > 0.0:
            return False
        most = self._params.get("SPEED_MOST", speed_mps) if name == "speed" else speed_mps
        setattr(self.limits, name, min(speed_mps, most))
        return True

    def usual_speed(self) -> None:
        """End a change of speed: that of the parameters again, in what is flown too."""
        self.limits.speed = limits_from(self._params).speed

    def turn(self, item: Item) -> None:
        """MAV_CMD_CONDITION_YAW: to a true heading, or by an angle from the present one, until the next waypoint."""
        angle, _, direction, relative = item.params
        if relative:
            self._yaw = self._body.yaw + radians(angle) * (-1.0 if direction < 0 else 1.0)
        else:
            frame = self._setup.frame
            place = frame.to_geodetic(self._body.e, self._body.n)
            self._yaw = radians(angle - frame.convergence_deg(*place))
        self._yaw_held = True

    def point_of(self, item: Item) -> Vector:
        """East, north, up of an item's place."""
        return self._place(item, self._here)

    @property
    def _here(self) -> Vector:
        return self._body.e, self._body.n, self._body.u

    def _away_m(self) -> float:
        """Over ground from the last place of what it was told to fly."""
        east, north, _ = self.goal
        return hypot(east - self._body.e, north - self._body.n)

    def _rally(self) -> list[Vector]:
        return [self.point_of(item) for item in self.rally_items]

    def _place(self, item: Item, here: Vector) -> Vector:
        place = place_of(item, self._setup.frame, self._setup.home_amsl_m, here, self.home.up_m)
        return (place[0], place[1], place[2] + self._ground_m(*place[:2])) if self._is_above(item) else place

    def _fly(self, *tasks: Task) -> None:
        if self._tasks and isinstance(self._tasks[0], Fall):
            return
        self._kept = Kept()
        known = self._ground_up
        if self._above and known is not None:
            tasks = tuple(OverGround(task, known, self._rates, self._known_m) for task in tasks)
        self._tasks = deque(tasks)

    def _returns_above(self) -> bool:
        known = self._ground_up
        if known is None or not self._params.get("RTL_ALT_TYPE"):
            return False
        goal, _ = nearest_goal(self._body, self._params, self._rally(), self.home.at)
        body = self._body
        shares = (i / _LOOKS for i in range(_LOOKS + 1))
        return all(known(body.e + k * (goal[0] - body.e), body.n + k * (goal[1] - body.n)) is not None for k in shares)

    # --- above the terrain -----------------------------------------------------------------------------------------

    def _is_above(self, item: Item) -> bool:
        return item.frame in TERRAIN_FRAMES and self._ground_up is not None

    def _ground_m(self, e: float, n: float) -> float:
        """Height of the ground at a place as it is known, or as it last was."""
        known = None if self._ground_up is None else self._ground_up(e, n)
        if known is not None:
            self._known_m = known
        return self._known_m

    def _on_ground(self, e: float, n: float) -> Vector:
        return e, n, self._ground_m(e, n)

    def _lowered(self, point: Vector) -> Vector:
        return point[0], point[1], point[2] - self._ground_m(*point[:2])

    @contextmanager
    def _above_ground(self) -> Iterator[None]:
        """What is ordered meanwhile has heights above the ground."""
        self._above = True
        try:
            with above(self._body, self._ground_m(self._body.e, self._body.n)):
                yield
        finally:
            self._above = False

    def _rates(self) -> tuple[float, float]:
        """Fastest climb and descent, m/s."""
        return self.limits.up, self.limits.down

    def _say(self, text: str) -> None:
        self._tell(Text(Severity.INFO, text))
