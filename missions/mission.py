"""From a sortie to the items that an autopilot takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from missions.errors import MissionError
from missions.fence import fence_polygon
from missions.limits import MAX_ITEMS
from missions.patrol import LegKind, PatrolPlan, Sortie, Waypoint

__all__ = ["Dialect", "Mission", "MissionItem", "compile_mission"]

Dialect = Literal["ardupilot", "px4"]

# Numbers of the MAVLink common message set.
FRAME_GLOBAL, FRAME_MISSION, FRAME_RELATIVE = 0, 2, 6
NAV_WAYPOINT, NAV_RETURN, NAV_TAKEOFF = 16, 20, 22
DO_CHANGE_SPEED, DO_MOUNT_CONTROL = 178, 205
VIDEO_START, VIDEO_STOP = 2500, 2501
FENCE_INCLUSION_VERTEX, RALLY_POINT = 5001, 5100
MOUNT_MODE_MAVLINK_TARGETING = 2.0
GROUND_SPEED = 1.0
ACCEPT_RADIUS_M = 2.0


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
        The three lists.
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
    """

    home_first: bool
    no_yaw: float


_DIALECTS: dict[Dialect, _Dialect] = {
    "ardupilot": _Dialect(home_first=True, no_yaw=0.0),
    "px4": _Dialect(home_first=False, no_yaw=math.nan),
}


def compile_mission(plan: PatrolPlan, sortie: Sortie, dialect: Dialect = "ardupilot") -> Mission:
    """Compile one sortie of a plan.

    Heights are relative to home, the ground at the base. The speed is set again after every change of purpose, so that
    a mission entered half-way flies at the right one.

    Raises
    ------
    MissionError
        For an unknown dialect, more than `MAX_ITEMS` items, or where no lawful fence exists.
    """
    if dialect not in _DIALECTS:
        raise MissionError(f"no dialect {dialect!r}: give one of {', '.join(_DIALECTS)}")
    rules = _DIALECTS[dialect]
    home = sortie.legs[0].start
    ground = home.amsl_m
    items: list[MissionItem] = []

    def place(command: int, at: Waypoint, radius_m: float = 0.0) -> None:
        x, y = _e7(at.lat_deg), _e7(at.lon_deg)
        z = round(at.amsl_m - ground, 2)
        items.append(MissionItem(len(items), FRAME_RELATIVE, command, 0.0, radius_m, 0.0, rules.no_yaw, x, y, z))

    def do(command: int, p1: float = 0.0, p2: float = 0.0, p3: float = 0.0, z: float = 0.0) -> None:
        items.append(MissionItem(len(items), FRAME_MISSION, command, p1, p2, p3, z=z))

    def speed(metres_a_second: float) -> None:
        do(DO_CHANGE_SPEED, GROUND_SPEED, round(metres_a_second, 3), -1.0)

    cruise = sortie.vehicle.aircraft.cruise_m_s
    if rules.home_first:
        items.append(
            MissionItem(0, FRAME_GLOBAL, NAV_WAYPOINT, x=_e7(home.lat_deg), y=_e7(home.lon_deg), z=round(ground, 2))
        )
    by_kind = {kind: [leg for leg in sortie.legs if leg.kind is kind] for kind in LegKind}
    place(NAV_TAKEOFF, by_kind[LegKind.TAKEOFF][-1].end)
    speed(cruise)
    for leg in by_kind[LegKind.TRANSIT]:
        place(NAV_WAYPOINT, leg.end, ACCEPT_RADIUS_M)
    speed(by_kind[LegKind.PATROL][0].speed_m_s)
    # The camera looks square across the course, at the border: -90 is left.
    do(
        DO_MOUNT_CONTROL,
        round(plan.observation.gimbal_pitch_deg, 2),
        0.0,
        90.0 * -sortie.look.sign,
        MOUNT_MODE_MAVLINK_TARGETING,
    )
    do(VIDEO_START)
    for leg in by_kind[LegKind.PATROL]:
        place(NAV_WAYPOINT, leg.end, ACCEPT_RADIUS_M)
    do(VIDEO_STOP)
    speed(cruise)
    # The last of these is above the base: a return from elsewhere would go to the nearest rally point instead.
    for leg in by_kind[LegKind.RETURN]:
        place(NAV_WAYPOINT, leg.end, ACCEPT_RADIUS_M)
    do(NAV_RETURN)
    if len(items) > MAX_ITEMS:
        raise MissionError(
            f"{sortie.name}: {len(items)} items, an autopilot takes {MAX_ITEMS}: straighten the border line or plan "
            "it in shorter parts"
        )
    return Mission(sortie.name, dialect, tuple(items), _fence(plan, sortie), _rally(sortie, ground))


def _fence(plan: PatrolPlan, sortie: Sortie) -> tuple[MissionItem, ...]:
    vertices = fence_polygon(plan, sortie)
    return tuple(
        MissionItem(n, FRAME_GLOBAL, FENCE_INCLUSION_VERTEX, p1=float(len(vertices)), x=_e7(lat), y=_e7(lon))
        for n, (lat, lon) in enumerate(vertices)
    )


def _rally(sortie: Sortie, ground_m: float) -> tuple[MissionItem, ...]:
    """The base, and a place half-way along the transit."""
    above = sortie.legs[0].end
    transit = [leg for leg in sortie.legs if leg.kind is LegKind.TRANSIT and leg.distance_m > 0]
    points = [above]
    half = sum(leg.distance_m for leg in transit) / 2
    for leg in transit:
        if half <= leg.distance_m:
            t = half / leg.distance_m
            a, b = leg.start, leg.end
            points.append(
                Waypoint.above(
                    a.lat_deg + t * (b.lat_deg - a.lat_deg),
                    a.lon_deg + t * (b.lon_deg - a.lon_deg),
                    a.agl_m,
                    a.ground_amsl_m + t * (b.ground_amsl_m - a.ground_amsl_m),
                )
            )
            break
        half -= leg.distance_m
    return tuple(
        MissionItem(n, FRAME_RELATIVE, RALLY_POINT, x=_e7(p.lat_deg), y=_e7(p.lon_deg), z=round(p.amsl_m - ground_m, 2))
        for n, p in enumerate(points)
    )


def _e7(degrees: float) -> int:
    return round(degrees * 1e7)
