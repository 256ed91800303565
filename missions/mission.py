"""From a sortie to the items that an autopilot takes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

import numpy as np

from geo import shorter_turn, true_per_equivalent
from missions.border import Side
from missions.errors import MissionError
from missions.fence import sortie_fence
from missions.fence_shapes import CIRCLE, POLYGON, FencePolygon, FenceShape
from missions.fleet import AircraftForm
from missions.patrol import PatrolPlan
from missions.rally import rally_points
from missions.sortie import Leg, LegKind, Sortie, Waypoint

__all__ = [
    "Dialect",
    "Mission",
    "MissionItem",
    "compile_mission",
    "fence_items",
    "legs_behind",
    "rally_item",
    "too_long",
]

Dialect = Literal["ardupilot", "px4"]

# Numbers of the MAVLink common message set.
FRAME_GLOBAL, FRAME_MISSION, FRAME_RELATIVE = 0, 2, 6
NAV_WAYPOINT, NAV_RETURN, NAV_LAND, NAV_TAKEOFF, NAV_VTOL_TAKEOFF, NAV_VTOL_LAND = 16, 20, 21, 22, 84, 85
DO_LAND_START = 189
DO_JUMP, DO_CHANGE_SPEED, DO_MOUNT_CONTROL = 177, 178, 205
VIDEO_START, VIDEO_STOP = 2500, 2501
RALLY_POINT = 5100
MOUNT_MODE_MAVLINK_TARGETING = 2.0
AIR_SPEED, GROUND_SPEED = 0.0, 1.0
_SLOWER = 0.99
"""Share of cruise below which a leg is flown slower than it: what is nearer is rounding."""

_SPEED_STEP_M_S = 0.5
"""Smaller changes of speed along one piece of a sortie are not worth an item, metres a second."""
ACCEPT_RADIUS_M = 2.0
_MOST_A_LEG, _MOST_BESIDE = 5, 3
"""Items of one leg, most: speed, camera, video, its place, the end of the video; and home, landing mark, return."""


@dataclass(frozen=True, slots=True)
class MissionItem:
    """One item as MISSION_ITEM_INT carries it.

    Parameters
    ----------
    seq
        Its number in its list, from 0.
    frame, command
        MAV_FRAME and MAV_CMD.
    p1, p2, p3, p4
        Parameters 1 to 4. NaN means "leave as it is" where the dialect allows it.
    x, y
        Latitude and longitude, degrees times 1e7, or parameters 5 and 6 of a command without a place.
    z
        Height, metres, or parameter 7.
    autocontinue
        Whether the next item follows by itself.
    """

    seq: int
    frame: int
    command: int
    p1: float = 0.0
    p2: float = 0.0
    p3: float = 0.0
    p4: float = 0.0
    x: int = 0
    y: int = 0
    z: float = 0.0
    autocontinue: bool = True


@dataclass(frozen=True, slots=True)
class Mission:
    """What is uploaded for one sortie: mission, fence and rally points, MAVLink mission types 0, 1 and 2.

    Parameters
    ----------
    name
        Name of the sortie.
    dialect
        For which autopilot.
    items, fence, rally
        The three lists. The fence is one polygon to stay in and one to keep out of for each group of no-fly zones.
    """

    name: str
    dialect: Dialect
    items: tuple[MissionItem, ...]
    fence: tuple[MissionItem, ...]
    rally: tuple[MissionItem, ...]


@dataclass(frozen=True, slots=True)
class _Dialect:
    """How an autopilot wants a mission.

    Parameters
    ----------
    home_first
        Item 0 is home, and a mission begins after it.
    no_yaw
        Parameter 4 of a place where no heading is asked for. ArduPilot refuses NaN, PX4 would turn to 0.
    marks_place
        Whether the mark of a landing sequence has a place: ArduPilot goes to the nearest one, PX4 takes none.
    lands_vtol
        Whether a VTOL's mission has to end with a landing of its own: PX4 rejects one that does not
        (``MIS_TKO_LAND_REQ`` of its VTOL airframes; seen on main of May 2026).
    lands_at_rally
        Whether the height of a rally point is that of the ground where it lands, to which it adds its height of return
        (PX4 rtl.cpp, ``computeReturnAltitude``; seen on main of May 2026: from 90 m, to a point given at 100 m, it
        climbed to 130 m), and not the height at which it is flown to. Where the plan does not know that ground it is
        given none: uphill it would fly into the hill. A plane without rotors circles for good over any such point
        (``RTL_LAND_DELAY`` of its airframes is -1) and gets none at all: it returns to its landing.
    """

    home_first: bool
    no_yaw: float
    marks_place: bool
    lands_vtol: bool
    lands_at_rally: bool


_DIALECTS: dict[Dialect, _Dialect] = {
    "ardupilot": _Dialect(home_first=True, no_yaw=0.0, marks_place=True, lands_vtol=False, lands_at_rally=False),
    "px4": _Dialect(home_first=False, no_yaw=math.nan, marks_place=False, lands_vtol=True, lands_at_rally=True),
}


def compile_mission(
    plan: PatrolPlan,
    sortie: Sortie,
    dialect: Dialect = "ardupilot",
    fence: tuple[FencePolygon, ...] | None = None,
) -> Mission:
    """Compile one sortie of a plan.

    Heights are relative to home, the ground at the base. The speed is set again after every change of purpose, so that
    a mission entered half-way flies at the right one. A sortie that begins in the air has no take-off. Who has its
    `sortie_fence` already hands it over.

    Raises
    ------
    MissionError
        For an unknown dialect, more items than its vehicle stores, or where no lawful fence exists.
    """
    if dialect not in _DIALECTS:
        raise MissionError(f"no dialect {dialect!r}: give one of {', '.join(_DIALECTS)}")
    items = _Items(plan, sortie, _DIALECTS[dialect]).compiled()
    craft = sortie.vehicle.aircraft
    if len(items) > craft.mission_items:
        raise MissionError(
            f"{sortie.name}: {len(items)} items, {craft.kind!r} stores {craft.mission_items}: straighten the border "
            "line or plan it in shorter parts"
        )
    fence = sortie_fence(plan, sortie) if fence is None else fence
    return Mission(sortie.name, dialect, items, fence_items(fence), _rally(plan, sortie, fence, _DIALECTS[dialect]))


def _rally(
    plan: PatrolPlan, sortie: Sortie, fence: tuple[FencePolygon, ...], rules: _Dialect
) -> tuple[MissionItem, ...]:
    """The rally points of a sortie, heights above home as its autopilot means them."""
    if rules.lands_at_rally and sortie.vehicle.aircraft.needs_runway:
        return ()
    home_m = sortie.home.amsl_m
    lands = rules.lands_at_rally
    return tuple(
        rally_item(number, at.lat_deg, at.lon_deg, round((at.ground_amsl_m if lands else at.amsl_m) - home_m, 2))
        for number, at in enumerate(rally_points(plan, sortie, fence, known=lands))
    )


def too_long(plan: PatrolPlan) -> list[int]:
    """Numbers of the sorties of a plan that have more items for some dialect than their vehicle stores."""
    return [
        number
        for number, sortie in enumerate(plan.sorties)
        for most in (sortie.vehicle.aircraft.mission_items,)
        if _MOST_A_LEG * len(sortie.legs) + _MOST_BESIDE > most
        and any(len(_Items(plan, sortie, dialect).compiled()) > most for dialect in _DIALECTS.values())
    ]


def legs_behind(mission: Mission, sortie: Sortie, item: int) -> int:
    """How many legs of a sortie lie behind an aircraft that has reached an item of its mission.

    Every place of a mission is the end of one leg, in their order; the landing is that of the return.
    """
    places = sum(i.command in {NAV_TAKEOFF, NAV_VTOL_TAKEOFF, NAV_WAYPOINT} for i in mission.items[: item + 1])
    home = _DIALECTS[mission.dialect].home_first
    ended = mission.items[item].command in {NAV_RETURN, NAV_LAND, NAV_VTOL_LAND}
    return len(sortie.legs) if ended else max(0, places - home)


class _Items:
    """The items of a sortie, as they are put down."""

    def __init__(self, plan: PatrolPlan, sortie: Sortie, rules: _Dialect) -> None:
        self._plan, self._sortie, self._rules = plan, sortie, rules
        self._ground = sortie.home.amsl_m
        self._items: list[MissionItem] = []
        self._told: float | None = None
        # The place that the landing sequence of wings begins with.
        wings = sortie.vehicle.aircraft.needs_runway
        self._established = sortie.landing[0].start if wings else None

    def compiled(self) -> tuple[MissionItem, ...]:
        """All of them, in the order of flight: a detour round a zone is a transit between two patrols."""
        home = self._sortie.home
        if self._rules.home_first:
            x, y = _e7(home.lat_deg), _e7(home.lon_deg)
            self._items.append(MissionItem(0, FRAME_GLOBAL, NAV_WAYPOINT, x=x, y=y, z=round(self._ground, 2)))
        # Where the camera has to look to the other side another patrol begins.
        for (kind, look), group in groupby(self._sortie.legs, key=lambda leg: (leg.kind, leg.look)):
            legs = list(group)
            if kind is LegKind.TAKEOFF:
                # After a plain take-off a PX4 VTOL would fly all of it on its rotors.
                vtol = self._sortie.vehicle.aircraft.form is AircraftForm.VTOL
                self._place(NAV_VTOL_TAKEOFF if vtol else NAV_TAKEOFF, legs[0].end)
                for leg in legs[1:]:
                    self._place(NAV_WAYPOINT, leg.end, ACCEPT_RADIUS_M)
            elif kind is not LegKind.LANDING:
                self._fly(legs, look if kind is LegKind.PATROL else None)
        self._land()
        return tuple(self._items)

    def _land(self) -> None:
        """On the spot by a return, which every autopilot ends so; along a runway by items of the mission."""
        *approach, last = self._sortie.landing
        craft, home = self._sortie.vehicle.aircraft, self._sortie.home
        if craft.form is AircraftForm.VTOL and self._rules.lands_vtol:
            self._place(NAV_VTOL_LAND, replace(last.end, lat_deg=home.lat_deg, lon_deg=home.lon_deg))
            return
        if not craft.needs_runway:
            # The last place is above the base: from elsewhere a return would go to the nearest rally point instead.
            self._do(NAV_RETURN)
            return
        for leg in approach:
            self._place(NAV_WAYPOINT, leg.end, ACCEPT_RADIUS_M)
        self._place(NAV_LAND, last.end)

    def _fly(self, legs: list[Leg], look: Side | None) -> None:
        """Legs of one kind that look one way or none. A mission may be entered here: speed and camera again."""
        self._told = None
        self._speed(next((leg for leg in legs if leg.distance_m > 0), legs[0]))
        if look is not None:
            # The camera looks square across the course, at the line: -90 is left.
            pitch = round(self._plan.observation_of(self._sortie).gimbal_pitch_deg, 2)
            self._do(DO_MOUNT_CONTROL, pitch, 0.0, 90.0 * -look.sign, MOUNT_MODE_MAVLINK_TARGETING)
            self._do(VIDEO_START)
        for leg in legs:
            if leg.distance_m > 0:
                self._speed(leg)
            if leg.end == self._established:
                self._mark(leg.end)
            self._place(NAV_WAYPOINT, leg.end, ACCEPT_RADIUS_M, hold_s=leg.duration_s if leg.start == leg.end else 0.0)
        if look is not None:
            self._do(VIDEO_STOP)

    def _place(self, command: int, at: Waypoint, radius_m: float = 0.0, hold_s: float = 0.0) -> None:
        x, y = _e7(at.lat_deg), _e7(at.lon_deg)
        z = round(at.amsl_m - self._ground, 2)
        seq, yaw = len(self._items), self._rules.no_yaw
        self._items.append(MissionItem(seq, FRAME_RELATIVE, command, round(hold_s, 1), radius_m, 0.0, yaw, x, y, z))

    def _mark(self, at: Waypoint) -> None:
        """Here the landing begins: a return of a fixed wing goes on from the item that follows."""
        if self._rules.marks_place:
            self._place(DO_LAND_START, at)
        else:
            self._do(DO_LAND_START)

    def _do(self, command: int, p1: float = 0.0, p2: float = 0.0, p3: float = 0.0, z: float = 0.0) -> None:
        self._items.append(MissionItem(len(self._items), FRAME_MISSION, command, p1, p2, p3, z=z))

    def _speed(self, leg: Leg) -> None:
        wanted = round(_wanted_speed(leg, self._sortie, self._plan), 3)
        craft = self._sortie.vehicle.aircraft
        if craft.has_wings:
            # ArduPlane takes none that is beyond its own, by however little.
            wanted = min(max(wanted, craft.min_m_s), craft.max_m_s)
        if self._told is None or abs(wanted - self._told) > _SPEED_STEP_M_S:
            self._told = wanted
            self._do(DO_CHANGE_SPEED, AIR_SPEED if craft.has_wings else GROUND_SPEED, wanted, -1.0)


def _wanted_speed(leg: Leg, sortie: Sortie, plan: PatrolPlan) -> float:
    """Speed to ask for on a leg: over ground, which holds the schedule in wind; of wings through the air.

    A climb or descent on the spot has none of its own.
    """
    craft = sortie.vehicle.aircraft
    if leg.distance_m <= 0:
        return craft.cruise_m_s
    if not craft.has_wings:
        return leg.speed_m_s
    north = leg.end.lat_deg - leg.start.lat_deg
    east = shorter_turn(leg.end.lon_deg - leg.start.lon_deg) * math.cos(math.radians(leg.start.lat_deg))
    course = np.array([[east, north]]) / math.hypot(east, north)
    air = float(plan.options.wind.airspeed(course, np.array([leg.speed_m_s]))[0])
    # Autopilots hold the equivalent airspeed.
    air /= float(true_per_equivalent((leg.start.amsl_m + leg.end.amsl_m) / 2))
    # Beside the patrol only a climb or descent asks for less than cruise.
    return air if leg.kind is LegKind.PATROL or air < craft.cruise_m_s * _SLOWER else craft.cruise_m_s


def fence_items(shapes: Iterable[FenceShape]) -> tuple[MissionItem, ...]:
    """The items of a fence: a vertex each, which says how many its polygon has, or a circle each."""
    items: list[MissionItem] = []
    for shape in shapes:
        if isinstance(shape, FencePolygon):
            command, size, places = POLYGON[shape.inclusion], float(len(shape.vertices)), shape.vertices
        else:
            command, size, places = CIRCLE[shape.inclusion], shape.radius_m, ((shape.lat_deg, shape.lon_deg),)
        for lat, lon in places:
            items.append(MissionItem(len(items), FRAME_GLOBAL, command, p1=size, x=_e7(lat), y=_e7(lon)))
    return tuple(items)


def rally_item(number: int, lat_deg: float, lon_deg: float, up_m: float) -> MissionItem:
    """A rally point, metres above home."""
    return MissionItem(number, FRAME_RELATIVE, RALLY_POINT, x=_e7(lat_deg), y=_e7(lon_deg), z=up_m)


def _e7(degrees: float) -> int:
    return round(degrees * 1e7)
