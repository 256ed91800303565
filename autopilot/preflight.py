"""Before a flight: what a vehicle can take, and whether its fence acts."""

from __future__ import annotations

from dataclasses import dataclass

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.errors import CommandError, NotReadyError, ParameterError, TransferError, VehicleState
from autopilot.fence_home import check_fence_home
from autopilot.places import farthest_m, highest_above_home_m
from autopilot.runway import circles_at_the_end
from autopilot.transfer_peer import lists_of
from autopilot.vehicle import Vehicle
from autopilot.words import MissionKind, command_name
from missions import Mission

__all__ = ["Capabilities", "capabilities", "check_vehicle", "enable_fence", "item_limit"]

_CAPABILITY = {
    MissionKind.MISSION: mav.MAV_PROTOCOL_CAPABILITY_MISSION_INT,
    MissionKind.FENCE: mav.MAV_PROTOCOL_CAPABILITY_MISSION_FENCE,
    MissionKind.RALLY: mav.MAV_PROTOCOL_CAPABILITY_MISSION_RALLY,
}

_FEWER = {
    MissionKind.MISSION: "plan shorter sorties (mission_items of the aircraft)",
    MissionKind.FENCE: "plan a fence of fewer corners (fence_vertices of the aircraft)",
    MissionKind.RALLY: "give fewer rally points",
}
_ASKED = 3
_FENCE_STAYS = (1.0, 2.0)  # DO_FENCE_ENABLE: 0 off, 1 on, 2 only the floor off


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an autopilot says that it can.

    Parameters
    ----------
    flags
        MAV_PROTOCOL_CAPABILITY.
    version
        Flight software, major.minor.patch.
    """

    flags: int
    version: str

    def can_take(self, kind: MissionKind) -> bool:
        """Whether the autopilot takes this list with MISSION_ITEM_INT."""
        return bool(self.flags & _CAPABILITY[kind])


async def capabilities(vehicle: Vehicle) -> Capabilities:
    """What the autopilot says that it can (AUTOPILOT_VERSION). Raises CommandError."""
    with vehicle.link.mailbox(vehicle.sysid, ("AUTOPILOT_VERSION",)) as box:
        for _ in range(_ASKED):  # an answer may be lost though the command was acknowledged
            await _ask_version(vehicle)
            answer = await box.get(vehicle.timing.wall_s(3.0))
            if answer is not None:
                break
        else:
            raise CommandError(
                f"{vehicle}: accepted {_ASKED} times to send AUTOPILOT_VERSION and did not: check the link"
            )
    version = answer.flight_sw_version
    return Capabilities(answer.capabilities, f"{version >> 24 & 255}.{version >> 16 & 255}.{version >> 8 & 255}")


async def _ask_version(vehicle: Vehicle) -> None:
    try:
        await vehicle.command(mav.MAV_CMD_REQUEST_MESSAGE, mav.MAVLINK_MSG_ID_AUTOPILOT_VERSION)
    except CommandError as error:
        if error.result != mav.MAV_RESULT_UNSUPPORTED:
            raise
        await vehicle.command(mav.MAV_CMD_REQUEST_AUTOPILOT_CAPABILITIES, 1.0)  # what older versions know


async def item_limit(vehicle: Vehicle, kind: MissionKind = MissionKind.MISSION) -> int:
    """How many items of a list fit at most, by the autopilot's own setting where it has one."""
    limit = vehicle.dialect.limits[kind]
    if limit.parameter:
        try:
            return limit.items(await vehicle.parameter(limit.parameter))
        except ParameterError:
            return limit.default
    return limit.default


async def check_vehicle(vehicle: Vehicle, mission: Mission) -> None:
    """Say before a flight what the vehicle cannot take, and what it must not be given.

    Raises
    ------
    TransferError
        When the mission was made for another autopilot, switches the fence off on the way or has more jumps than are
        counted; when a list is longer than the vehicle's room, or of a kind that it does not take. Nothing was sent.
    CommandError
        When it does not say what it can.
    """
    problem = _unfit(vehicle, mission)
    if problem is None:
        problem = await _beyond_it(vehicle, mission)
    if problem is not None:
        raise TransferError(f"{vehicle}: {problem}", VehicleState.KEPT)


def _unfit(vehicle: Vehicle, mission: Mission) -> str | None:
    """What is wrong with a mission, whatever the vehicle says."""
    dialect = vehicle.dialect
    if mission.dialect != dialect.name:
        return f"flies {dialect.name} and mission {mission.name} was compiled for {mission.dialect}: compile it again"
    for item in mission.items:
        if item.command == mav.MAV_CMD_DO_FENCE_ENABLE and item.p1 not in _FENCE_STAYS:
            return (
                f"mission item {item.seq} ({command_name(item.command)}) switches the fence off in flight: take it out"
            )
        if item.command == mav.MAV_CMD_DO_FLIGHTTERMINATION:
            return f"mission item {item.seq} ({command_name(item.command)}) ends the flight where it is: take it out"
    jumps = sum(item.command == mav.MAV_CMD_DO_JUMP for item in mission.items)
    if dialect.most_jumps is not None and jumps > dialect.most_jumps:
        most = dialect.most_jumps
        return f"the mission has {jumps} DO_JUMP items and {dialect.name} counts {most}: write the laps out as items"
    return None


async def _beyond_it(vehicle: Vehicle, mission: Mission) -> str | None:
    """What of a mission the vehicle has no room for."""
    abilities = await capabilities(vehicle)
    await vehicle.look_up(vehicle.dialect.asked)  # many of one autopilot's versions lack some
    if await circles_at_the_end(vehicle, mission):
        return (
            f"the mission ends with a return, and a plane without rotors to land on ({vehicle.dialect.hovers} is not "
            "1) circles there until its battery is empty: put a landing sequence at its end"
        )
    for kind, items in lists_of(mission):
        if items and not abilities.can_take(kind):
            return f"its autopilot ({vehicle.dialect.name} {abilities.version}) takes no {kind} over MAVLink: update it"
        limit = await item_limit(vehicle, kind)
        if len(items) > limit:
            parameter = vehicle.dialect.limits[kind].parameter
            more = f" or raise {parameter}" if parameter else ""
            return f"the {kind} has {len(items)} items and {limit} fit: {_FEWER[kind]}{more}"
    return None


async def enable_fence(vehicle: Vehicle, mission: Mission, *, ceiling_m: float | None = None) -> None:
    """Make the uploaded fence act, and prove that it does by reading the settings back.

    Parameters
    ----------
    vehicle, mission
        The vehicle, and the mission whose fence it holds.
    ceiling_m
        Height limit to set, metres above home; None leaves the vehicle's own, which may be the law's.

    Raises
    ------
    ParameterError
        When a setting is absent or does not take its value: the fence may be inactive, do not fly.
    NotReadyError
        When the vehicle's own limit of height or distance would end this mission, or may, or when it drops a shape of
        this fence.
    """
    check_fence_home(vehicle, mission)
    for setting in vehicle.dialect.fence:
        present = await vehicle.parameter(setting.name)
        if setting.wanted(present) != present:
            await vehicle.set_parameter(setting.name, setting.wanted(present))
    await _under_ceiling(vehicle, mission, ceiling_m)
    await _on_leash(vehicle, mission)


async def _under_ceiling(vehicle: Vehicle, mission: Mission, ceiling_m: float | None) -> None:
    ceiling = vehicle.dialect.ceiling
    if ceiling.mask and not int(await vehicle.parameter(ceiling.mask)) & ceiling.bit:
        return
    if ceiling_m is not None:
        await vehicle.set_parameter(ceiling.parameter, ceiling_m)
    limit_m = await vehicle.parameter(ceiling.parameter)
    if limit_m <= 0:
        return
    highest_m = highest_above_home_m(vehicle, mission)
    if highest_m is None:
        raise NotReadyError(
            f"{vehicle}: the mission has heights above sea level, {ceiling.parameter} is {limit_m:g} m above home, and "
            "it does not say how high that is: wait for its GPS"
        )
    if limit_m <= highest_m:
        raise NotReadyError(
            f"{vehicle}: the mission climbs to {highest_m:g} m above home and {ceiling.parameter} is {limit_m:g} m: "
            f"raise {ceiling.parameter} or plan lower"
        )


async def _on_leash(vehicle: Vehicle, mission: Mission) -> None:
    """PX4 refuses such a mission, or turns home from it, and says little."""
    leash = vehicle.dialect.leash
    if leash is None:
        return
    limit_m = await vehicle.parameter(leash)
    if limit_m <= 0:
        return
    away_m = farthest_m(vehicle, mission)
    if away_m is None:
        raise NotReadyError(
            f"{vehicle}: {leash} is {limit_m:g} m and it says neither home nor position: wait for its GPS"
        )
    if away_m >= limit_m:
        raise NotReadyError(
            f"{vehicle}: the mission goes {away_m:.0f} m from home and {leash} is {limit_m:g} m: raise {leash}, "
            "or set it to 0 and let the fence of the plan hold it"
        )
