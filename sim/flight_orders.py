"""Turning orders into tasks: what a mission item, a return or a landing means in the air."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import copysign, hypot, radians, sqrt, tan

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.flight_body import Body
from sim.flight_frame import FlightFrame
from sim.flight_home import PAD
from sim.flight_items import Item
from sim.flight_mission import passes
from sim.flight_tasks import Descend, Hold, Leg, Limits, Task, Turns, Vector

__all__ = [
    "landing",
    "limits_from",
    "nearest_goal",
    "place_of",
    "return_home",
    "stopping_point",
    "tasks_of",
]

_LEAST_CMPS, _LEAST_RADIUS_CM = 10.0, 5.0
_ACCEL_CMPS2, _ACCEL_Z_CMPS2 = 250.0, 100.0


def limits_from(params: Mapping[str, float], speed_mps: float = 0.0) -> Limits:
    """Speeds of the parameters (which are in cm), or another horizontal speed when it is positive.

    What nothing could fly by is the default or the least that AC_WPNav takes in its place.
    """

    def least(name: str, cm: float) -> float:
        return max(params[name], cm) / 100.0

    return Limits(
        speed=speed_mps if speed_mps > 0.0 else least("WPNAV_SPEED", _LEAST_CMPS),
        up=least("WPNAV_SPEED_UP", _LEAST_CMPS),
        down=least("WPNAV_SPEED_DN", _LEAST_CMPS),
        accel=(params["WPNAV_ACCEL"] if params["WPNAV_ACCEL"] > 0.0 else _ACCEL_CMPS2) / 100.0,
        climb_accel=(params["WPNAV_ACCEL_Z"] if params["WPNAV_ACCEL_Z"] > 0.0 else _ACCEL_Z_CMPS2) / 100.0,
        radius_m=least("WPNAV_RADIUS", _LEAST_RADIUS_CM),
    )


def place_of(item: Item, frame: FlightFrame, pad_amsl_m: float, here: Vector, home_up_m: float = 0.0) -> Vector:
    """East, north, up of an item against the pad; a place of zeros is where the vehicle is, as ArduPilot has it."""
    east, north = (here[0], here[1]) if item.x == 0 and item.y == 0 else frame.to_local(item.x / 1e7, item.y / 1e7)
    absolute = item.frame in (mav.MAV_FRAME_GLOBAL, mav.MAV_FRAME_GLOBAL_INT)
    return east, north, item.z - pad_amsl_m if absolute else item.z + home_up_m


def stopping_point(body: Body, limits: Limits) -> Vector:
    """Where a vehicle comes to rest when it brakes now."""
    speed = hypot(body.ve, body.vn)
    time_s = 0.5 * speed / limits.accel + body.response_s
    return (
        body.e + body.ve * time_s,
        body.n + body.vn * time_s,
        max(body.ground, body.u + 0.5 * body.vu * abs(body.vu) / limits.climb_accel),
    )


def landing(point: tuple[float, float], params: Mapping[str, float], limits: Limits) -> Descend:
    """Down to the ground over a point."""
    fast = params["LAND_SPEED_HIGH"] or params["WPNAV_SPEED_DN"]
    return Descend(point, limits, fast / 100.0, params["LAND_SPEED"] / 100.0, params["LAND_ALT_LOW"] / 100.0)


def nearest_goal(
    body: Body, params: Mapping[str, float], rally: Sequence[Vector], home: Vector = PAD
) -> tuple[Vector, bool]:
    """Home or the rally point to return to, and whether it is a rally point.

    A rally point farther than RALLY_LIMIT_KM does not count, nor of PX4 one at home.
    """
    within_m, apart_m = params["RALLY_LIMIT_KM"] * 1000.0 or 1e9, params.get("RALLY_APART", 0.0)
    near = [
        p
        for p in rally
        if hypot(p[0] - body.e, p[1] - body.n) <= within_m and hypot(p[0] - home[0], p[1] - home[1]) >= apart_m
    ]
    if not near or params["RALLY_INCL_HOME"]:
        near.append(home)
    goal = min(near, key=lambda p: hypot(p[0] - body.e, p[1] - body.n))
    return goal, goal is not home


def return_home(
    body: Body, params: Mapping[str, float], limits: Limits, rally: Sequence[Vector], home: Vector = PAD
) -> tuple[list[Task], bool]:
    """Climb, fly to home or to a nearer rally point, wait, land; and whether it is a rally point."""
    goal, is_rally = nearest_goal(body, params, rally, home)
    up = _return_height(body, params, goal, home)
    tasks: list[Task] = []
    here = stopping_point(body, limits)
    if up > body.u + 1.0:
        over = (here[0], here[1], up)
        tasks.append(Leg((here[0], here[1], body.u), over, limits))
        here = over
    else:
        here = (body.e, body.n, up)
    above = (goal[0], goal[1], up)
    tasks += [
        Leg(here, above, limits),
        Hold(above, limits, params["RTL_LOIT_TIME"] / 1000.0),
        landing((goal[0], goal[1]), params, limits),
    ]
    return tasks, is_rally


def _return_height(body: Body, params: Mapping[str, float], goal: Vector, home: Vector) -> float:
    """At which height rotors return.

    To ArduCopter a rally point's is one to fly at. PX4 lands at that height, rises by RTL_RETURN_ALT over it, and by
    less within a cone near it, but for twice NAV_ACC_RAD outside of that radius (rtl.cpp, ``computeReturnAltitude``):
    a vehicle that is lower than those and higher than a RTL_RETURN_ALT that is less comes down to that.
    """
    rise_m = params["RTL_ALT"] / 100.0
    if not params.get("RALLY_LANDS"):
        return max(body.u, home[2] + rise_m, goal[2])
    if params["RTL_CONE_ANG"] <= 0.0:
        return max(body.u, goal[2] + rise_m)
    away_m, near_m = hypot(goal[0] - body.e, goal[1] - body.n), params["WPNAV_RADIUS"] / 100.0
    if away_m <= near_m:
        up = goal[2] + 2.0 * away_m
    else:
        steep = tan(radians(min(max(params["RTL_CONE_ANG"], 1.0), 89.0)))
        cone_m = min(away_m / steep, rise_m) if away_m <= params["RTL_MIN_DIST"] else rise_m
        up = goal[2] + max(cone_m, 2.0 * near_m)
    return body.u if up < body.u else min(up, goal[2] + rise_m)


def tasks_of(
    item: Item, start: Vector, place: Vector, ahead: Sequence[Vector], *, params: Mapping[str, float], limits: Limits
) -> list[Task]:
    """Tasks of a navigation command other than the return, from a start to its place."""
    match item.command:
        case mav.MAV_CMD_NAV_TAKEOFF | mav.MAV_CMD_NAV_VTOL_TAKEOFF:
            return [Leg(start, (start[0], start[1], place[2]), limits)]
        # A spline is flown as the straight line that it is not.
        case mav.MAV_CMD_NAV_WAYPOINT | mav.MAV_CMD_NAV_SPLINE_WAYPOINT if passes(item):
            return [Leg(start, place, limits, ahead)]
        case mav.MAV_CMD_NAV_WAYPOINT | mav.MAV_CMD_NAV_SPLINE_WAYPOINT | mav.MAV_CMD_NAV_LOITER_TIME:
            return [Leg(start, place, limits), Hold(place, limits, item.params[0])]
        case mav.MAV_CMD_NAV_LAND | mav.MAV_CMD_NAV_VTOL_LAND:
            over = (place[0], place[1], start[2])
            far = sqrt((over[0] - start[0]) ** 2 + (over[1] - start[1]) ** 2) > limits.radius_m
            down = landing((over[0], over[1]), params, limits)
            return [Leg(start, over, limits), down] if far else [down]
        case mav.MAV_CMD_NAV_DELAY:
            return [Hold(start, limits, max(item.params[0], 0.0))]
        case _:
            return _loiter(item, start, place, params, limits)


def _loiter(item: Item, start: Vector, place: Vector, params: Mapping[str, float], limits: Limits) -> list[Task]:
    """Tasks of a stay at a place until something is so."""
    match item.command:
        case mav.MAV_CMD_NAV_LOITER_UNLIM:
            return [Leg(start, place, limits), Hold(place, limits)]
        case mav.MAV_CMD_NAV_LOITER_TURNS:
            return [_turns(item, place, params, limits)]
        case mav.MAV_CMD_NAV_LOITER_TO_ALT:
            return [Leg(start, place, limits), Hold(place, limits, 0.0)]
        case _:
            raise AssertionError(f"navigation command {item.command} was stored but has no tasks")


def _turns(item: Item, place: Vector, params: Mapping[str, float], limits: Limits) -> Turns:
    """Round a place, as fast as CIRCLE_RATE and half of the acceleration let it (AC_Circle, ``calc_velocities``)."""
    count, _, radius_m, _ = item.params
    size_m = max(abs(radius_m) or params["CIRCLE_RADIUS"] / 100.0, limits.radius_m)
    most_mps = min(limits.speed, sqrt(0.5 * limits.accel * size_m))
    speed_mps = min(abs(radians(params["CIRCLE_RATE"])) * size_m, most_mps)
    return Turns(place, copysign(size_m, radius_m), speed_mps, limits, count)
