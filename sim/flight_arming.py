"""What speaks against arming a vehicle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.flight_modes import POSITION_MODES, Mode
from sim.flight_terrain import TERRAIN_FRAMES

if TYPE_CHECKING:
    from sim.flight import Flight

__all__ = ["all_skipped", "arm_refusals", "mode_refusal", "refusals", "terrain_places"]

# Bits of ArduPilot's arming checks (AP_Arming.h). A check of none is made whatever is skipped; that of the fence has no
# bit, and goes when all go.
_ALL = (1 << 21) - 2
_NONE, _SENSORS, _PARAMETERS, _BATTERY, _MISSION = 0, 1 << 4, 1 << 5, 1 << 8, 1 << 14
_EVERY = 1


def refusals(flight: Flight, *, being_served: bool) -> list[str]:
    """Reasons against arming in the present mode, as ArduCopter words them; `Dialect.word` has those of others."""
    skipped = _skipped(flight.params)
    skipped |= _EVERY if skipped == _ALL else 0
    return [reason for check, reason in _found(flight, being_served=being_served) if not check & skipped]


def all_skipped(params: Mapping[str, float]) -> bool:
    """Whether only what cannot be skipped is checked before arming."""
    return _skipped(params) == _ALL


def _skipped(params: Mapping[str, float]) -> int:
    """Bits of the checks that are not made, by the parameter of 4.7 or by that of versions before; PX4 has neither."""
    made = params.get("ARMING_CHECK")
    if made is None:
        return int(params.get("ARMING_SKIPCHK", 0.0)) & _ALL
    return 0 if int(made) & 1 else ~int(made) & _ALL


def _found(flight: Flight, *, being_served: bool) -> Iterator[tuple[int, str]]:
    """Reasons, each with its bit."""
    if flight.time_s < flight.setup.boot.healthy_s:
        yield _SENSORS, "Gyros still settling"
    if flight.mode in POSITION_MODES and not flight.has_position:
        yield _NONE, "Need Position Estimate"
    if being_served:
        yield _NONE, "Battery is being changed"
    elif flight.battery.remaining_pct <= flight.setup.power.low_pct:
        yield _BATTERY, "Battery 1 low"
    if flight.has_position and flight.guard.outside(flight.body):
        yield _EVERY, "vehicle outside fence"
    if flight.wrecked:
        yield _NONE, "Vehicle is wrecked"
    if flight.terminated:
        yield _NONE, "Flight termination active"
    for reason in _missed(flight):
        yield _NONE, reason
    yield from _of_mission(flight)


def _of_mission(flight: Flight) -> Iterator[tuple[int, str]]:
    """What its mission asks for: ArduPlane wants its return to use a landing sequence (seen on 4.7-dev)."""
    has_landing = any(item.command == mav.MAV_CMD_DO_LAND_START for item in flight.mission[1:])
    if has_landing and not flight.params.get("RTL_AUTOLAND", 1.0):
        yield _MISSION, "DO_LAND_START set and RTL_AUTOLAND disabled"
    for reason in _terrain(flight):
        yield _PARAMETERS, reason


def _missed(flight: Flight) -> Iterator[str]:
    """Who and what is not there and has to be."""
    if flight.mode == Mode.OFFBOARD and not flight.steering.heard:
        yield "no offboard signal"
    if flight.dialect.chooses_disarmed and flight.mode == Mode.AUTO and not flight.run.is_there:
        yield "no mission"
    if flight.dialect.misses_sticks and flight.mode in flight.dialect.stick_modes and flight.hands.sticks is None:
        yield "No manual control input"
    if flight.unheard:
        yield "No connection to the ground control station"


def arm_refusals(flight: Flight, reasons: list[str]) -> list[str]:
    """Reasons, and those that hold however it is ordered: that it falls, disarmed as it is, and the mode."""
    if not flight.armed and not flight.landed:
        reasons = [*reasons, "Vehicle is falling"]
    spec = flight.dialect.spec(flight.mode)
    may_auto = flight.dialect.auto_armable or int(flight.params["AUTO_OPTIONS"]) & 1
    wrong = not spec.armable or (flight.mode == Mode.AUTO and not may_auto)
    return [*reasons, f"{spec.name} mode not armable"] if wrong else reasons


def mode_refusal(flight: Flight, mode: Mode) -> str | None:
    """What speaks against a change to a mode, or None."""
    if mode in POSITION_MODES and not flight.has_position:
        return "requires position"
    if mode == Mode.OFFBOARD and not flight.steering.heard:
        return "no offboard signal"
    by_hand = flight.armed and mode in flight.dialect.stick_modes
    if by_hand and flight.dialect.misses_sticks and flight.hands.sticks is None:
        return "No manual control input"
    if mode == Mode.AUTO and not flight.run.is_there:
        return "no mission"
    if mode == Mode.AUTO and flight.armed and flight.landed and not flight.can_lift_off:
        return "Missing Takeoff Cmd"
    return None


def terrain_places(flight: Flight) -> Iterator[tuple[float, float]]:
    """Places of the mission that are flown above terrain, degrees."""
    for item in flight.mission[1:]:
        if item.frame in TERRAIN_FRAMES and (item.x or item.y):
            yield item.x / 1e7, item.y / 1e7


def _terrain(flight: Flight) -> list[str]:
    """A mission above terrain needs the heights of it: ArduPilot's check of its terrain database."""
    if flight.ground is None or not any(item.frame in TERRAIN_FRAMES for item in flight.mission[1:]):
        return []
    terrain = flight.terrain
    if not terrain.enabled:
        return ["terrain disabled"]
    frame = flight.setup.frame
    places = [(frame.lat_deg, frame.lon_deg), *terrain_places(flight)]
    terrain.look_for(places)
    pending, _ = terrain.counts
    ready = not pending and all(terrain.height_m(*place) is not None for place in places)
    return [] if ready else ["waiting for terrain data"]
