"""The course of a fixed wing: it never stands still, so what holds is a circle and what lands needs a way in."""

from __future__ import annotations

from collections.abc import Callable
from math import atan2, cos, hypot, sin, tan

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.flight_body import Body, wrap_pi
from sim.flight_by_hand import Sticks, WingsByHand
from sim.flight_course import Course
from sim.flight_items import Item
from sim.flight_mission import TAKEOFFS
from sim.flight_orders import nearest_goal
from sim.flight_tasks import Task, Vector
from sim.flight_wind import WindField
from sim.wing_body import WingBody
from sim.wing_tasks import Approach, Circle, Climb, Glide, WingLeg, WingLimits

__all__ = ["WingCourse"]

_LANDING_SLOPE_RAD = 0.1
_AIRSPEED = 0.0
# RTL_AUTOLAND (ArduPlane, mode_rtl.cpp).
_AFTER_HOME, _STRAIGHT = 1.0, 2.0


class WingCourse(Course):
    """What a fixed wing flies.

    Attributes
    ----------
    wing
        Airspeeds and limits.
    """

    _body: WingBody

    def fly_in(self, wind: WindField) -> None:
        """The air that carries it; before the first step."""
        self._wind = wind
        self.wing = WingLimits.of(self._params)

    def reset(self) -> None:
        """As at the start of a sortie."""
        super().reset()
        self.wing = WingLimits.of(self._params)

    def speeds_of_parameters(self) -> None:
        """Forget changes of speed, as a change of mode does."""
        super().speeds_of_parameters()
        self.wing = WingLimits.of(self._params)

    def wanted(self, time_s: float) -> tuple[Vector, float]:
        """What to fly now, in the air of now."""
        gust = self._wind.gust(time_s)
        self._body.air = (self._wind.mean_e_mps + gust[0], self._wind.mean_n_mps + gust[1])
        return super().wanted(time_s)

    # --- orders ----------------------------------------------------------------------------------------------------

    def take_off(self, up_m: float) -> None:
        """Run, climb straight ahead to a height above home, and circle there."""
        self._fly(Climb(self._body, up_m, self.wing))

    def go_to(self, point: Vector) -> None:
        """To a point, and round it."""
        leg = WingLeg(self._here, point, self.wing, circle_m=self.wing.loiter_m, climbs_at_once=True)
        self._fly(leg, self._circle(point))

    def by_hand(self, read: Callable[[], Sticks]) -> None:
        """As the sticks say."""
        self._fly(WingsByHand(read, self.wing))

    def orbit(self, centre: Vector, radius_m: float, speed_mps: float, *, faces: bool) -> None:
        """Wings go round at their own speed, nose ahead."""
        del speed_mps, faces
        way = WingLeg(self._here, centre, self.wing, circle_m=radius_m, climbs_at_once=True)
        self._fly(way, Circle(centre, radius_m, self.wing))

    def rise(self, up_m: float) -> None:
        """Take off by an order of its own, and go round there."""
        self.take_off(up_m)

    def hold(self) -> None:
        """Round the present place."""
        self._fly(self._circle(self._here))

    def land(self) -> None:
        """Straight ahead to the ground."""
        here, yaw = self._here, self._body.yaw
        up = here[2] - self._body.ground
        if up <= self.wing.flare_m:
            self._fly(Glide(self.wing))
            return
        away = up / tan(_LANDING_SLOPE_RAD)
        self._fly(Approach(here, self._on_ground(here[0] + away * sin(yaw), here[1] + away * cos(yaw)), self.wing))

    def go_home(self) -> None:
        """To home or a rally point and round it; down and land there where the autopilot does so."""
        goal, rally = nearest_goal(self._body, self._params, self._rally(), self.home.at)
        self._say("Returning to rally point" if rally else "Returning home")
        self._origin = None
        self._fly(*self._return_to(goal))

    def landing_sequence(self) -> int | None:
        """The mission's landing, where the autopilot returns straight to that: PX4 where no rally point is nearer."""
        seq = self._landing() if self._params["RTL_AUTOLAND"] == _STRAIGHT else None
        if seq is None or not self._params.get("RALLY_LANDS"):
            return seq
        down = self._run.landing(seq)
        goal, rally = nearest_goal(self._body, self._params, self._rally(), self.home.at)
        return None if rally and down is not None and self._away(goal) < self._away(self.point_of(down)) else seq

    def _away(self, point: Vector) -> float:
        return hypot(point[0] - self._body.e, point[1] - self._body.n)

    def landing_after_return(self) -> int | None:
        """The mission's landing, where the autopilot goes on to that from home."""
        return self._landing() if self._params["RTL_AUTOLAND"] == _AFTER_HOME else None

    def _landing(self) -> int | None:
        return self._run.land_start(or_landing=bool(self._params["LANDING_IS_MARKER"]))

    def _return_to(self, goal: Vector) -> list[Task]:
        over = (goal[0], goal[1], self._return_height(goal))
        radius = self._params["RTL_RADIUS"] or self.wing.loiter_m
        way = WingLeg(self._here, over, self.wing, circle_m=radius, climbs_at_once=True)
        if not self._params["RTL_LANDS"]:
            return [way, Circle(over, radius, self.wing, to_height=self.landing_after_return() is not None)]
        low = (goal[0], goal[1], self._landed_m(goal) + self._params["RTL_DESCEND_ALT"])
        down = _ApproachFromHere(self._on_ground(*goal[:2]), self.wing)
        return [way, Circle(low, radius, self.wing, to_height=True), down]

    def _return_height(self, goal: Vector) -> float:
        """ArduPilot comes down to its return height, PX4 only up; a rally point has a height of its own."""
        low = self._landed_m(goal)
        up = low + self._params["RTL_ALTITUDE"] if goal[2] <= low else goal[2]
        return max(up, self._body.u) if self._params["RTL_KEEPS_HEIGHT"] else up

    def _landed_m(self, goal: Vector) -> float:
        """The height that others of a return are above: PX4 lands at that of a rally point."""
        return goal[2] if self._params.get("RALLY_LANDS") else self.home.up_m

    def change_speed(self, kind: float, speed_mps: float) -> bool:
        """MAV_CMD_DO_CHANGE_SPEED: an airspeed; a ground speed changes nothing (ArduPilot#9208).

        Beyond its limits PX4 flies the nearest, and ArduPlane as before (4.7-dev, ``Plane::do_change_speed``).
        """
        if not speed_mps > 0.0:
            return False
        held = max(self.wing.least, min(self.wing.most, speed_mps))
        if self._setup.dialect.name == "px4":
            self.wing.airspeed = held
        elif kind == _AIRSPEED:
            if held != speed_mps:
                return False
            self.wing.airspeed = speed_mps
        return True

    def usual_speed(self) -> None:
        """Of the wings."""
        super().usual_speed()
        self.wing.airspeed = WingLimits.of(self._params).airspeed

    @property
    def rolling(self) -> bool:
        """Whether it runs along the ground to take off."""
        return self._body.rotate_mps > 0.0

    def _rates(self) -> tuple[float, float]:
        return self.wing.climb, self.wing.sink

    def _circle(self, centre: Vector) -> Circle:
        return Circle(centre, self.wing.loiter_m, self.wing)

    def _tasks_of(self, item: Item, start: Vector, place: Vector, ahead: list[Vector]) -> list[Task]:
        wing = self.wing
        match item.command:
            case command if command in TAKEOFFS:
                return [Climb(self._body, place[2], wing)]
            case mav.MAV_CMD_NAV_WAYPOINT:
                radius = item.params[1]
                corner = _corner(start, place, ahead[0]) if ahead else None
                return [
                    WingLeg(start, place, wing, radius_m=radius, levels=True)
                    if corner is None
                    else WingLeg(start, place, wing, radius_m=radius, corner_rad=corner, levels=True)
                ]
            case mav.MAV_CMD_NAV_LAND | mav.MAV_CMD_NAV_VTOL_LAND:
                return [Approach(start, self._on_ground(*place[:2]), wing)]
            case mav.MAV_CMD_NAV_DELAY:
                return [Circle(start, wing.loiter_m, wing, for_s=max(item.params[0], 0.0))]
            case _:
                return self._round(item, start, place)

    def _round(self, item: Item, start: Vector, place: Vector) -> list[Task]:
        """The loiter commands: to the circle and round it."""
        wing, p = self.wing, item.params
        radius = (p[1] if item.command == mav.MAV_CMD_NAV_LOITER_TO_ALT else p[2]) or self._params["ITEM_LOITER_RAD"]
        way = WingLeg(start, place, wing, circle_m=radius)
        match item.command:
            case mav.MAV_CMD_NAV_LOITER_TIME:
                return [way, Circle(place, radius, wing, for_s=p[0])]
            case mav.MAV_CMD_NAV_LOITER_TURNS:
                return [way, Circle(place, radius, wing, turns=p[0])]
            case mav.MAV_CMD_NAV_LOITER_TO_ALT:
                return [way, Circle(place, radius, wing, to_height=True)]
            case _:
                return [way, Circle(place, radius, wing)]

    def _origin_after(self, item: Item, start: Vector, place: Vector) -> Vector | None:  # noqa: ARG002 (as its base)
        """After a climb straight ahead or a circle the next leg begins where the vehicle is."""
        return place if item.command == mav.MAV_CMD_NAV_WAYPOINT else None


class _ApproachFromHere:
    """An `Approach` that begins where the vehicle is when its turn comes."""

    lands = True
    __slots__ = ("_approach", "_goal", "_wing", "yaw")

    def __init__(self, goal: Vector, wing: WingLimits) -> None:
        self._goal, self._wing = goal, wing
        self._approach: Approach | None = None
        self.yaw: float | None = None

    def velocity(self, body: Body, time_s: float) -> Vector:
        """Down to the goal."""
        if self._approach is None:
            self._approach = Approach((body.e, body.n, body.u), self._goal, self._wing)
        return self._approach.velocity(body, time_s)

    def done(self, body: Body, time_s: float) -> bool:  # noqa: ARG002 (one signature for all tasks)
        """Never: the ground ends it."""
        return False


def _corner(before: Vector, corner: Vector, after: Vector) -> float:
    """Turn at a corner, radians."""
    a = atan2(corner[0] - before[0], corner[1] - before[1])
    b = atan2(after[0] - corner[0], after[1] - corner[1])
    return wrap_pi(b - a) if hypot(after[0] - corner[0], after[1] - corner[1]) > 0.0 else 0.0
