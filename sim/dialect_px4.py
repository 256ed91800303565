"""PX4: multirotor, fixed wing and VTOL, as of main of May 2026 (1.17 alpha), which was asked in its own simulator.

Sources: mode documentation of PX4, px4_custom_mode.h, and what its modules answer. Its parameters are in
``px4_params``, what mavlink_mission.cpp takes and keeps in ``px4_items``.
"""

from __future__ import annotations

from dataclasses import replace

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.dialect import Dialect
from sim.dialect_room import Room
from sim.dialect_terms import FALL, BatteryLevel, Failsafes, Form, ModeSpec
from sim.flight_modes import Mode
from sim.px4_items import PX4_RULES
from sim.px4_params import ROTOR_FIGURES, ROTOR_PARAMS, VTOL_FIGURES, VTOL_PARAMS, WING_FIGURES, WING_PARAMS

__all__ = ["PX4_COPTER", "PX4_PLANE", "PX4_VTOL"]

_AUTO, _MANUAL = 29, 81


def _mode(mode: Mode, name: str, main: int, sub: int = 0, *, armable: bool = True) -> ModeSpec:
    """custom_mode carries the main mode in its third byte and the sub mode in its fourth."""
    return ModeSpec(mode, name, main << 16 | sub << 24, _AUTO if main == _MAIN_AUTO else _MANUAL, armable)


_MAIN_AUTO = 4
_VTOL_FIXEDROTOR = 22  # MAV_TYPE_VTOL_FIXEDROTOR, "reserved" in older definitions
_MODES = (
    _mode(Mode.MANUAL, "MANUAL", 1),
    _mode(Mode.ALT_HOLD, "ALTCTL", 2),
    _mode(Mode.POSITION, "POSCTL", 3),
    _mode(Mode.TAKEOFF, "TAKEOFF", _MAIN_AUTO, 2),
    _mode(Mode.LOITER, "HOLD", _MAIN_AUTO, 3),
    _mode(Mode.AUTO, "MISSION", _MAIN_AUTO, 4),
    _mode(Mode.RTL, "RTL", _MAIN_AUTO, 5, armable=False),
    _mode(Mode.LAND, "LAND", _MAIN_AUTO, 6, armable=False),
    _mode(Mode.STABILIZE, "STABILIZED", 7),
    replace(_mode(Mode.TERMINATION, "TERMINATION", 10, armable=False), chosen=False),
)
_ORBIT = _mode(Mode.ORBIT, "ORBIT", 3, 1, armable=False)
_FAILSAFES = Failsafes(
    fence={0: None, 1: None, 2: Mode.LOITER, 3: Mode.RTL, 4: FALL, 5: Mode.LAND},
    gcs={1: Mode.LOITER, 2: Mode.RTL, 3: Mode.LAND, 5: FALL, 6: FALL},
    battery=(
        BatteryLevel("BATT_WARN_MAH", "COM_LOW_BAT_ACT", {}, critical=False, text="Low battery level"),
        BatteryLevel(
            "BATT_LOW_MAH",
            "COM_LOW_BAT_ACT",
            {0: None, 1: Mode.RTL, 2: Mode.LAND, 3: Mode.RTL},
            critical=True,
            text="Critical battery level",
        ),
        BatteryLevel(
            "BATT_CRT_MAH",
            "COM_LOW_BAT_ACT",
            {0: None, 1: Mode.RTL, 2: Mode.LAND, 3: Mode.LAND},
            critical=True,
            text="Emergency battery level",
        ),
    ),
    # Nobody is at the sticks: what would leave it to them holds.
    targets={
        0: Mode.LOITER,
        1: Mode.LOITER,
        2: Mode.LOITER,
        3: Mode.RTL,
        4: Mode.LAND,
        5: Mode.LOITER,
        6: FALL,
        7: FALL,
    },
    any_gcs=True,
    drops_fence_off_home=True,
    # Asked for in one round of its navigator, taken in the next, 20 rounds a second (geofence.cpp; flown).
    fence_item_s=0.1,
)

PX4_COPTER = Dialect(
    name="px4",
    form=Form.ROTOR,
    autopilot=int(mav.MAV_AUTOPILOT_PX4),
    types={"copter": 2, "quad": 2, "hexa": 13, "octo": 14},
    version=1 << 24 | 17 << 16 | 0x40,
    capabilities=(
        mav.MAV_PROTOCOL_CAPABILITY_MISSION_FLOAT
        | mav.MAV_PROTOCOL_CAPABILITY_PARAM_FLOAT
        | mav.MAV_PROTOCOL_CAPABILITY_MISSION_INT
        | mav.MAV_PROTOCOL_CAPABILITY_COMMAND_INT
        | mav.MAV_PROTOCOL_CAPABILITY_SET_ATTITUDE_TARGET
        | mav.MAV_PROTOCOL_CAPABILITY_SET_POSITION_TARGET_LOCAL_NED
        | mav.MAV_PROTOCOL_CAPABILITY_SET_POSITION_TARGET_GLOBAL_INT
        | mav.MAV_PROTOCOL_CAPABILITY_FLIGHT_TERMINATION
        | mav.MAV_PROTOCOL_CAPABILITY_MAVLINK2
        | mav.MAV_PROTOCOL_CAPABILITY_MISSION_FENCE
        | mav.MAV_PROTOCOL_CAPABILITY_MISSION_RALLY
    ),
    modes=(*_MODES, _ORBIT, _mode(Mode.OFFBOARD, "OFFBOARD", 6)),
    boot_mode=Mode.LOITER,
    goto_mode=Mode.LOITER,
    params=ROTOR_PARAMS,
    from_power={
        "BAT1_CAPACITY": lambda mah, _, __: float(round(mah)),
        "BAT_LOW_THR": lambda _, low, __: min(0.99, low / 100.0 + 0.08),
        "BAT_CRIT_THR": lambda _, low, __: low / 100.0,
        "BAT_EMERGEN_THR": lambda _, __, critical: critical / 100.0,
    },
    sysid_param="MAV_SYS_ID",
    rules=PX4_RULES,
    home_first=False,
    room=lambda _: Room(2000, 64, 32),
    failsafes=_FAILSAFES,
    silent=frozenset(
        {
            int(mav.MAVLINK_MSG_ID_EKF_STATUS_REPORT),
            int(mav.MAVLINK_MSG_ID_WIND),
            int(mav.MAVLINK_MSG_ID_FENCE_STATUS),
            int(mav.MAVLINK_MSG_ID_MOUNT_STATUS),
            int(mav.MAVLINK_MSG_ID_TERRAIN_REPORT),
            int(mav.MAVLINK_MSG_ID_TERRAIN_REQUEST),
            int(mav.MAVLINK_MSG_ID_NAV_CONTROLLER_OUTPUT),
            int(mav.MAVLINK_MSG_ID_RAW_IMU),
        }
    ),
    two_part_modes=True,
    figures=ROTOR_FIGURES,
    mode_ack=int(mav.MAV_CMD_DO_SET_MODE),
    stopped_us=0,
    bytewise=True,
    numbers_named=True,
    names_absent=True,
    atomic=True,
    refused=frozenset(
        {
            mav.MAV_CMD_DO_PAUSE_CONTINUE,
            mav.MAV_CMD_DO_FENCE_ENABLE,
            mav.MAV_CMD_CONDITION_YAW,
            mav.MAV_CMD_NAV_LOITER_UNLIM,
            mav.MAV_CMD_DO_SET_MISSION_CURRENT,
            mav.MAV_CMD_DO_SET_SERVO,
            mav.MAV_CMD_DO_SET_RELAY,
            mav.MAV_CMD_NAV_VTOL_TAKEOFF,
            mav.MAV_CMD_NAV_VTOL_LAND,
            mav.MAV_CMD_VIDEO_START_CAPTURE,
            mav.MAV_CMD_VIDEO_STOP_CAPTURE,
        }
    ),
    claims_gimbal=True,
    amsl_commands=True,
    auto_armable=True,
    auto_starts=True,
    start_arms=True,
    lifts_off=True,
    leaves_mode=True,
    lands_in_auto=False,
    tells_items=False,
    tells_again=10,
    tells_pauses=True,
    idle_figure="COM_DISARM_PRFLT",
    # A link in normal mode carries telemetry unasked.
    streams={
        int(mav.MAVLINK_MSG_ID_HEARTBEAT): 1.0,
        int(mav.MAVLINK_MSG_ID_SYS_STATUS): 1.0,
        int(mav.MAVLINK_MSG_ID_GPS_RAW_INT): 1.0,
        int(mav.MAVLINK_MSG_ID_EXTENDED_SYS_STATE): 1.0,
        int(mav.MAVLINK_MSG_ID_GLOBAL_POSITION_INT): 0.2,
        int(mav.MAVLINK_MSG_ID_ALTITUDE): 1.0,
        int(mav.MAVLINK_MSG_ID_ATTITUDE): 0.2,
        int(mav.MAVLINK_MSG_ID_ATTITUDE_QUATERNION): 0.2,
        int(mav.MAVLINK_MSG_ID_LOCAL_POSITION_NED): 0.2,
        int(mav.MAVLINK_MSG_ID_VFR_HUD): 0.25,
        int(mav.MAVLINK_MSG_ID_BATTERY_STATUS): 2.0,
        int(mav.MAVLINK_MSG_ID_ESTIMATOR_STATUS): 1.0,
        int(mav.MAVLINK_MSG_ID_HOME_POSITION): 2.0,
        int(mav.MAVLINK_MSG_ID_MISSION_CURRENT): 1.0,
        int(mav.MAVLINK_MSG_ID_GIMBAL_MANAGER_STATUS): 2.0,
        436: 2.0,  # CURRENT_MODE
    },
    # Its texts end with a tab where it tells the same as an event (Commander.cpp, HealthAndArmingChecks.cpp).
    arm_text="Arming denied: Resolve system health failures first\t",
    check_text="Preflight Fail: {reason}\t",
    check_every_s=None,
    refusal=int(mav.MAV_RESULT_TEMPORARILY_REJECTED),
    unsent=int(mav.MAV_RESULT_DENIED),
    no_mode=int(mav.MAV_RESULT_TEMPORARILY_REJECTED),
    terminates_armed=True,
    homes_landed=True,
    active_armed=True,
    stick_modes=frozenset({Mode.MANUAL, Mode.ALT_HOLD, Mode.POSITION, Mode.STABILIZE}),
    misses_sticks=True,
    chooses_disarmed=True,
    films_apart=True,
    takes_modes_twice=True,
    own_component=True,
    lists_checks=False,
    wants_gcs=True,
    mode_text="Switching to {name} is currently not available\t",
    mode_critical=True,
    words={
        "MANUAL": "Manual",
        "ALTCTL": "Altitude",
        "POSCTL": "Position",
        "TAKEOFF": "Takeoff",
        "HOLD": "Hold",
        "MISSION": "Mission",
        "RTL": "Return",
        "LAND": "Land",
        "STABILIZED": "Stabilized",
        "ORBIT": "Orbit",
        "OFFBOARD": "Offboard",
        "Need Position Estimate": "No valid global position estimate",
        "requires position": "No valid global position estimate",
        "no mission": "No valid mission available",
        "Battery 1 low": "Low battery",
        "vehicle outside fence": "Geofence violation",
        "Gyros still settling": "Gyro 0 uncalibrated",
    },
)
"""Multirotors."""

PX4_PLANE = replace(
    PX4_COPTER,
    form=Form.WING,
    types={"plane": int(mav.MAV_TYPE_FIXED_WING)},
    modes=_MODES,
    params=WING_PARAMS,
    figures=WING_FIGURES,
    lifts_off=False,
)
"""Fixed wings."""

PX4_VTOL = replace(
    PX4_COPTER,
    form=Form.VTOL,
    types={"vtol": _VTOL_FIXEDROTOR},
    modes=(*_MODES, _ORBIT),
    params=VTOL_PARAMS,
    figures=VTOL_FIGURES,
)
"""Standard VTOL: wings with lift rotors."""
