"""The course of a VTOL: on its rotors as a multirotor, on its wings as a fixed wing, and what lies between."""

from __future__ import annotations

from collections.abc import Callable
from math import atan2, hypot

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.flight_by_hand import Sticks
from sim.flight_course import Course
from sim.flight_items import Item
from sim.flight_mission import LANDINGS, TAKEOFFS
from sim.flight_modes import Mode
from sim.flight_orders import landing, tasks_of
from sim.flight_tasks import Hold, Leg, Task, Vector
from sim.wing_course import WingCourse
from sim.wing_tasks import Climb, Transition, WingLeg

__all__ = ["VtolCourse"]

_MARGIN_M = 10.0


class VtolCourse(WingCourse):
    """What a VTOL flies.

    Attributes
    ----------
    wings_wanted
        Whether places are flown to on wings.
    """

    wings_wanted = False

    def reset(self) -> None:
        """As at the start of a sortie: on rotors."""
        super().reset()
        self.wings_wanted = False

    def transition(self, state: float) -> bool:
        """MAV_CMD_DO_VTOL_TRANSITION: it takes effect with the next place, or at once where it holds."""
        if state not in (mav.MAV_VTOL_STATE_MC, mav.MAV_VTOL_STATE_FW):
            return False
        self.wings_wanted = state == mav.MAV_VTOL_STATE_FW
        return True

    def change_over(self) -> None:
        """Go over to what is wanted, in the present place."""
        if self.wings_wanted and not self._body.on_wings:
            self._fly(*self._to_wings(self._body.yaw, self._body.u), self._circle(self._here))
        elif not self.wings_wanted and self._body.on_wings:
            self.hover()

    def _to_wings(self, heading_rad: float, up_m: float) -> list[Task]:
        return [Transition(heading_rad, up_m, self._params["TRANSITION_AIRSPEED"])]

    # --- orders ----------------------------------------------------------------------------------------------------

    def take_off(self, up_m: float) -> None:
        """Straight up on the rotors."""
        Course.take_off(self, up_m)

    def rise(self, up_m: float) -> None:
        """Straight up on the rotors, and stay there."""
        Course.rise(self, up_m)

    def go_to(self, point: Vector) -> None:
        """To a point, on what carries it now."""
        (WingCourse if self._body.on_wings else Course).go_to(self, point)

    def by_hand(self, read: Callable[[], Sticks]) -> None:
        """On what carries it now."""
        (WingCourse if self._body.on_wings else Course).by_hand(self, read)

    def orbit(self, centre: Vector, radius_m: float, speed_mps: float, *, faces: bool) -> None:
        """On what it flies on."""
        (WingCourse if self._body.on_wings else Course).orbit(self, centre, radius_m, speed_mps, faces=faces)

    def hold(self) -> None:
        """Round the present place on wings, in it on rotors."""
        (WingCourse if self._body.on_wings else Course).hold(self)

    def hover(self) -> None:
        """Brake, and stay in a place on the rotors."""
        Course.hold(self)

    def land(self) -> None:
        """Over to the rotors, and down."""
        Course.land(self)

    def hover_home(self) -> None:
        """Return on the rotors and land: what is left of a return on wings, too."""
        Course.go_home(self)

    def go_home(self) -> None:
        """Home on what carries it now. Wings go over to the rotors where the autopilot does so, else they circle."""
        self.wings_wanted = self._body.on_wings
        (WingCourse if self._body.on_wings else Course).go_home(self)

    def _return_to(self, goal: Vector) -> list[Task]:
        if not self._params["RTL_LANDS"]:
            return super()._return_to(goal)
        over = (goal[0], goal[1], self._return_height(goal))
        until = self._until_rotors(self._here, over, climbs_at_once=True)
        return [until] if self._setup.dialect.has(Mode.HOVER_RTL) else [until, *self._down(over)]

    def follow_up(self) -> Mode | None:
        """ArduPilot's RTL goes on as QRTL."""
        wanted = self._params["RTL_LANDS"] and self._setup.dialect.has(Mode.HOVER_RTL)
        return Mode.HOVER_RTL if wanted else None

    def _rates(self) -> tuple[float, float]:
        return super()._rates() if self._body.on_wings else Course._rates(self)  # noqa: SLF001 (its own base)

    def _until_rotors(self, start: Vector, over: Vector, *, climbs_at_once: bool = False) -> Task:
        """On wings until the rotors must brake to stand over a place."""
        decel = self._params["TRANSITION_DECEL"]
        speed = self.wing.airspeed * self._body.true_per_equivalent + hypot(*self._body.air)
        radius_m = speed * speed / (2.0 * decel) + _MARGIN_M
        return WingLeg(start, over, self.wing, radius_m=radius_m, climbs_at_once=climbs_at_once)

    def _down(self, over: Vector) -> list[Task]:
        return [Hold(over, self.limits, 0.0), landing((over[0], over[1]), self._params, self.limits)]

    def change_speed(self, kind: float, speed_mps: float) -> bool:
        """MAV_CMD_DO_CHANGE_SPEED of what places are flown to on."""
        if self.wings_wanted or self._body.on_wings:
            return super().change_speed(kind, speed_mps)
        return Course.change_speed(self, kind, speed_mps)

    # --- missions --------------------------------------------------------------------------------------------------

    def _tasks_of(self, item: Item, start: Vector, place: Vector, ahead: list[Vector]) -> list[Task]:
        if item.command in TAKEOFFS:
            return self._off(item, start, place)
        if item.command in LANDINGS:
            return self._in(item, start, place)
        if not self.wings_wanted:
            return self._hovered(item, start, place, ahead)
        tasks = super()._tasks_of(item, start, place, ahead)
        if self._body.on_wings:
            return tasks
        here = self._here
        heading = atan2(place[0] - here[0], place[1] - here[1])
        return [*self._to_wings(heading, here[2]), *tasks]

    def _off(self, item: Item, start: Vector, place: Vector) -> list[Task]:
        params = self._params
        if item.command == mav.MAV_CMD_NAV_TAKEOFF and params["TAKEOFF_ON_WINGS"]:
            self.wings_wanted = True
            return [Climb(self._body, place[2], self.wing)]
        self.wings_wanted = item.command == mav.MAV_CMD_NAV_VTOL_TAKEOFF or bool(params["CRUISES_ON_WINGS"])
        return [Leg(start, (start[0], start[1], place[2]), self.limits)]

    def _in(self, item: Item, start: Vector, place: Vector) -> list[Task]:
        if not self._body.on_wings:
            return tasks_of(_as(item, mav.MAV_CMD_NAV_LAND), start, place, [], params=self._params, limits=self.limits)
        self.wings_wanted = False
        over = (place[0], place[1], start[2])
        return [self._until_rotors(start, over), *self._down(over)]

    def _hovered(self, item: Item, start: Vector, place: Vector, ahead: list[Vector]) -> list[Task]:
        """Commands of wings mean the same as for a multirotor: to the place and stay."""
        command = {
            mav.MAV_CMD_NAV_LOITER_TURNS: mav.MAV_CMD_NAV_WAYPOINT,
            mav.MAV_CMD_NAV_LOITER_TO_ALT: mav.MAV_CMD_NAV_WAYPOINT,
        }.get(item.command, item.command)
        return tasks_of(_as(item, command), start, place, ahead, params=self._params, limits=self.limits)

    def _origin_after(self, item: Item, start: Vector, place: Vector) -> Vector | None:
        if self.wings_wanted or self._body.on_wings:
            return super()._origin_after(item, start, place)
        return Course._origin_after(self, item, start, place)  # noqa: SLF001 (its own base)


def _as(item: Item, command: int) -> Item:
    return Item(command, item.frame, item.params, item.x, item.y, item.z)
