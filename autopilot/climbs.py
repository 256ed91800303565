"""Whether wings change their height in a mission as fast as it asks for: some do so no faster than a setting says.

PX4 comes after the heights of a mission at FW_T_CLMB_R_SP and FW_T_SINK_R_SP, 3 and 2 m/s by default, however fast it
could (1.14 to 1.16: fw_pos_control/FixedwingPositionControl.cpp, ``control_auto_position``, and TECS.cpp,
``TECSAltitudeReferenceModel::update``). A climb that asks for more ends late, and the aircraft is low until then. It
holds an airspeed: with the wind behind it is sooner at the place, and has come less far up.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.dialects import WINGS
from autopilot.errors import AbsentError, NotReadyError
from autopilot.places import above_home_m, highest_amsl_m
from autopilot.vehicle import Vehicle
from geo import LocalFrame
from missions import Mission, MissionItem, Wind

__all__ = ["check_climbs"]

_TAKEOFFS = frozenset({mav.MAV_CMD_NAV_TAKEOFF, mav.MAV_CMD_NAV_VTOL_TAKEOFF})
_STAYS = frozenset({mav.MAV_CMD_NAV_LOITER_TURNS, mav.MAV_CMD_NAV_LOITER_TO_ALT})
_PASSED = frozenset({mav.MAV_CMD_NAV_WAYPOINT, mav.MAV_CMD_NAV_LOITER_TIME})
_SPEEDS = frozenset({mav.SPEED_TYPE_AIRSPEED, mav.SPEED_TYPE_GROUNDSPEED})
_LATE_M = 1.0
"""What comes later than that is told, metres upright: less is rounding."""
_FOR_EVER_S = 1e9
_HIGHEST_M = 11_000.0
"""Above sea level: up to there the thinness of the air is reckoned with."""


@dataclass(frozen=True, slots=True)
class _Pace:
    """How fast it is set to climb, to descend and to fly through the air, m/s."""

    up_m_s: float
    down_m_s: float
    speed_m_s: float


@dataclass(frozen=True, slots=True)
class _Passing:
    """How an item is passed in a wind: how far below its height, metres, and at which rate it is climbed to, m/s."""

    seq: int
    low_m: float
    rise_m_s: float
    wind: Wind

    @property
    def air(self) -> str:
        """In which air, in words: nothing for calm air."""
        blows = f" in a wind of {self.wind.speed_m_s:g} m/s from {self.wind.from_deg % 360:.0f} degrees"
        return blows if self.wind.speed_m_s else ""


async def check_climbs(vehicle: Vehicle, mission: Mission, wind: Wind | None = None) -> tuple[str, ...]:
    """Hold the climbs and descents of a mission against those that the vehicle is set to.

    Parameters
    ----------
    vehicle, mission
        Who flies what.
    wind
        The wind that the mission was planned for. It has to be flown in that and, since a wind may drop, in calm air.

    Returns
    -------
    tuple of str
        Where it would come later down than planned, or that it is not known how fast it climbs, in words; nothing for
        most.

    Raises
    ------
    NotReadyError
        When it would be lower than planned somewhere: what lies below may be ground that rises.
    ParameterError
        When it does not answer.
    """
    rates = vehicle.dialect.rates
    if rates is None or int(vehicle.link.vehicles[vehicle.sysid].type) not in WINGS:
        return ()
    try:
        up, down, speed = [await vehicle.parameter(name) for name in (rates.up, rates.down, rates.speed)]
    except AbsentError as error:  # another version
        return (f"it is not known how fast it climbs and descends in a mission: {error}",)
    if not speed > 0.0:
        return (f"it is not known how fast it climbs and descends in a mission: {rates.speed} is {speed:g}",)
    pace = _Pace(up, down, speed)
    planned = wind or Wind()
    # A mission without a plan says nothing of the air in which it is flown: it is as thin as at its highest place.
    highest_m = highest_amsl_m(vehicle, mission)
    if highest_m is not None:
        planned = replace(planned, air_amsl_m=max(planned.air_amsl_m, min(highest_m, _HIGHEST_M)))
    airs = dict.fromkeys((Wind(air_amsl_m=planned.air_amsl_m), planned))
    passed = [one for air in airs for one in _passings(vehicle, mission, pace, air)]
    lowest = max(passed, key=lambda one: one.low_m, default=None)
    if lowest is not None and lowest.low_m > _LATE_M:
        needed = _up(max(one.rise_m_s for one in passed))
        raise NotReadyError(
            f"{vehicle}: would be {lowest.low_m:.0f} m below the height of item {lowest.seq}{lowest.air}: the mission "
            f"climbs at up to {needed:g} m/s and {rates.up} is {up:g}: set it to {needed:g} if it can "
            "climb so fast, or plan flatter"
        )
    highest = min(passed, key=lambda one: one.low_m, default=None)
    if highest is None or highest.low_m > -_LATE_M:
        return ()
    needed = _up(max(-one.rise_m_s for one in passed))
    said = (
        f"it comes {-highest.low_m:.0f} m above the height of item {highest.seq}{highest.air}: the mission descends at "
        f"up to {needed:g} m/s and {rates.down} is {down:g}"
    )
    return (said,)


def _passings(vehicle: Vehicle, mission: Mission, pace: _Pace, wind: Wind) -> Iterator[_Passing]:
    """How each place of a mission is passed that is flown to from another one."""
    speed = pace.speed_m_s
    before: MissionItem | None = None
    planned_m = flown_m = 0.0
    for item in mission.items[1:] if vehicle.dialect.home_is_item_0 else mission.items:
        if item.command == mav.MAV_CMD_DO_CHANGE_SPEED and item.p1 in _SPEEDS and item.p2 > 0.0:
            speed = item.p2
        if item.command not in _TAKEOFFS | _STAYS | _PASSED:
            continue
        height_m = above_home_m(vehicle, item)
        if height_m is None:
            before = None
            continue
        if before is None or item.command not in _PASSED:
            flown_m = height_m  # it circles until it is there
        else:
            takes_s = _leg_s(before, item, speed, wind) + item.p1
            if takes_s <= 0.0:
                continue  # a step in height at one place is flown on the way to the next
            flown_m = max(flown_m - pace.down_m_s * takes_s, min(flown_m + pace.up_m_s * takes_s, height_m))
            yield _Passing(item.seq, height_m - flown_m, (height_m - planned_m) / takes_s, wind)
        before, planned_m = item, height_m


def _leg_s(start: MissionItem, end: MissionItem, speed: float, wind: Wind) -> float:
    """How long a leg takes at an airspeed, s; for ever against a wind that is faster."""
    east, north, _ = LocalFrame(start.x / 1e7, start.y / 1e7).to_enu(end.x / 1e7, end.y / 1e7)
    far_m = math.hypot(east, north)
    if far_m == 0.0:
        return 0.0
    true_m_s = speed * wind.true_per_equivalent
    over_ground = float(wind.ground_speed([[float(east) / far_m, float(north) / far_m]], true_m_s)[0])
    return far_m / over_ground if over_ground > 0.0 else _FOR_EVER_S


def _up(rate_m_s: float) -> float:
    """A rate in tenths, not less than it is."""
    return math.ceil(rate_m_s * 10.0 - 1e-6) / 10.0
