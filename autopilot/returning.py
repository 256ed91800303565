"""What becomes of a vehicle that returns by itself: that it lands, and stays below its ceiling."""

from __future__ import annotations

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.dialect import ReturnWays
from autopilot.errors import NotReadyError
from autopilot.places import above_home_m
from autopilot.vehicle import Vehicle
from geo import geodesic_distance_m
from missions import Mission, MissionItem

__all__ = ["check_return"]

_AT_HOME_M = 10.0
"""A rally point as near to home as this is none to PX4 (rtl.cpp, MAX_DIST_FROM_HOME_FOR_LAND_APPROACHES), metres."""


async def check_return(vehicle: Vehicle, mission: Mission, ceiling_agl_m: float | None = None) -> tuple[str, ...]:
    """Hold the way home that a vehicle is set to against its fence, its ceiling and its rally points.

    Parameters
    ----------
    vehicle, mission
        Who flies what; the fence of the mission is in force, and so is what makes a return land.
    ceiling_agl_m
        The ceiling that the mission was planned for, metres above the ground; None where that is not known.

    Returns
    -------
    tuple of str
        How it climbs above a ceiling on its way home, in words; nothing for most.

    Raises
    ------
    NotReadyError
        When it would not come home: a plane that circles over a rally point, or a return that its own fence ends.
    ParameterError
        When it does not answer.
    """
    ways, landing = vehicle.dialect.returns, vehicle.dialect.landing
    if ways is None or landing is None:
        return ()
    kind = round(await vehicle.parameter(landing.name))
    if kind in ways.along_mission:
        return ()
    rally = [item for item in mission.rally if not _at_home(vehicle, item)]
    if rally and int(vehicle.link.vehicles[vehicle.sysid].type) == mav.MAV_TYPE_FIXED_WING:
        raise NotReadyError(
            f"{vehicle}: has {len(rally)} rally points, and a plane without rotors that returns to one circles over it "
            f"until its battery is empty ({landing.name} is {kind}): take them out, or set {landing.name} to 2, by "
            "which it returns to the landing of its mission"
        )
    return await _below_ceiling(vehicle, ways, rally, ceiling_agl_m)


def _at_home(vehicle: Vehicle, item: MissionItem) -> bool:
    home = vehicle.telemetry.home
    return home is not None and float(geodesic_distance_m(home[0], home[1], item.x / 1e7, item.y / 1e7)) <= _AT_HOME_M


async def _below_ceiling(
    vehicle: Vehicle, ways: ReturnWays, rally: list[MissionItem], ceiling_agl_m: float | None
) -> tuple[str, ...]:
    up_m = await vehicle.parameter(ways.height)
    said = []
    if ceiling_agl_m is not None and up_m > ceiling_agl_m:
        said.append(
            f"a return climbs to {up_m:g} m above where it lands ({ways.height}) and the plan's ceiling is "
            f"{ceiling_agl_m:g} m above the ground: lower {ways.height}"
        )
    limit = vehicle.dialect.ceiling.parameter
    limit_m = await vehicle.parameter(limit)
    # Above home, the highest place that it may land at.
    top_m = up_m + max((above_home_m(vehicle, item) or 0.0 for item in rally), default=0.0)
    if not 0.0 < limit_m <= top_m:
        return tuple(said)
    fence = vehicle.dialect.fence[0].name
    action = round(await vehicle.parameter(fence))
    climbs = f"a return climbs to {top_m:g} m above home ({ways.height} {up_m:g}) and {limit} is {limit_m:g} m"
    if action in ways.stopped:
        raise NotReadyError(
            f"{vehicle}: {climbs}: there it {ways.stopped[action]} ({fence} {action}): lower {ways.height}, or set "
            f"{fence} to 3"
        )
    return (*said, f"{climbs}: lower {ways.height}")
