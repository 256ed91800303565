"""PX4: multirotor, fixed wing and VTOL, as of main of May 2026 (1.17 alpha), which was asked in its own simulator.

Sources: parameter reference and mode documentation of PX4, px4_custom_mode.h, and what mavlink_mission.cpp takes, keeps
and answers. Failsafes of the battery are on here, as an operator has them; PX4 ships with a warning only.
"""

from __future__ import annotations

from dataclasses import replace

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.dialect import Dialect
from sim.dialect_figures import NO_ROTORS, Figure
from sim.dialect_room import Room
from sim.dialect_terms import FALL, BatteryLevel, Failsafes, Form, ModeSpec, ParamSpec
from sim.flight_modes import Mode
from sim.px4_items import PX4_RULES

__all__ = ["PX4_COPTER", "PX4_PLANE", "PX4_VTOL"]

_INT32, _REAL = int(mav.MAV_PARAM_TYPE_INT32), int(mav.MAV_PARAM_TYPE_REAL32)

# --- parameters ----------------------------------------------------------------------------------------------------

_COMMON = {
    "MAV_SYS_ID": ParamSpec(1.0, _INT32),
    "MAV_TYPE": ParamSpec(2.0, _INT32),
    "COM_DISARM_LAND": ParamSpec(2.0, _REAL),
    "COM_DISARM_PRFLT": ParamSpec(10.0, _REAL),
    "COM_DL_LOSS_T": ParamSpec(10.0, _INT32),
    "COM_FAIL_ACT_T": ParamSpec(5.0, _REAL),
    "COM_LOW_BAT_ACT": ParamSpec(3.0, _INT32),
    "COM_OF_LOSS_T": ParamSpec(1.0, _REAL),
    "COM_OBL_RC_ACT": ParamSpec(0.0, _INT32),
    "NAV_DLL_ACT": ParamSpec(0.0, _INT32),
    "NAV_RCL_ACT": ParamSpec(2.0, _INT32),
    "COM_DLL_EXCEPT": ParamSpec(0.0, _INT32),
    "COM_RCL_EXCEPT": ParamSpec(0.0, _INT32),
    "COM_RC_IN_MODE": ParamSpec(3.0, _INT32),
    "COM_RC_LOSS_T": ParamSpec(0.5, _REAL),
    "COM_RC_OVERRIDE": ParamSpec(1.0, _INT32),
    "COM_RC_STICK_OV": ParamSpec(30.0, _REAL),
    "NAV_ACC_RAD": ParamSpec(10.0, _REAL),
    "NAV_LOITER_RAD": ParamSpec(80.0, _REAL),
    "GF_ACTION": ParamSpec(2.0, _INT32),
    "GF_MAX_HOR_DIST": ParamSpec(0.0, _REAL),
    "GF_MAX_VER_DIST": ParamSpec(0.0, _REAL),
    "BAT1_CAPACITY": ParamSpec(-1.0, _REAL),
    "BAT_LOW_THR": ParamSpec(0.15, _REAL),
    "BAT_CRIT_THR": ParamSpec(0.07, _REAL),
    "BAT_EMERGEN_THR": ParamSpec(0.05, _REAL),
    "RTL_TYPE": ParamSpec(0.0, _INT32),
    "RTL_RETURN_ALT": ParamSpec(60.0, _REAL),
    "RTL_DESCEND_ALT": ParamSpec(30.0, _REAL),
    "RTL_LAND_DELAY": ParamSpec(0.0, _REAL),
    "RTL_CONE_ANG": ParamSpec(45.0, _INT32),
    "RTL_MIN_DIST": ParamSpec(10.0, _REAL),
    "MIS_TAKEOFF_ALT": ParamSpec(2.5, _REAL),
    "MIS_TKO_LAND_REQ": ParamSpec(0.0, _INT32),
}
_ROTOR_PARAMS = {
    "MPC_XY_CRUISE": ParamSpec(5.0, _REAL),
    "MPC_XY_VEL_MAX": ParamSpec(12.0, _REAL),
    "MPC_Z_V_AUTO_UP": ParamSpec(3.0, _REAL),
    "MPC_Z_V_AUTO_DN": ParamSpec(1.5, _REAL),
    "MPC_VEL_MANUAL": ParamSpec(10.0, _REAL),
    "MPC_Z_VEL_MAX_UP": ParamSpec(3.0, _REAL),
    "MPC_Z_VEL_MAX_DN": ParamSpec(1.5, _REAL),
    "MPC_ACC_HOR": ParamSpec(3.0, _REAL),
    "MPC_ACC_UP_MAX": ParamSpec(4.0, _REAL),
    "MPC_LAND_SPEED": ParamSpec(0.7, _REAL),
    "MPC_LAND_ALT2": ParamSpec(5.0, _REAL),
}
# Set for multirotors by PX4's own start-up scripts.
_ROTOR_DEFAULTS = {
    "NAV_ACC_RAD": ParamSpec(2.0, _REAL),
    "RTL_RETURN_ALT": ParamSpec(30.0, _REAL),
    "RTL_DESCEND_ALT": ParamSpec(10.0, _REAL),
}
_WING_PARAMS = {
    "FW_AIRSPD_TRIM": ParamSpec(18.0, _REAL),
    "FW_AIRSPD_MIN": ParamSpec(12.0, _REAL),
    "FW_AIRSPD_MAX": ParamSpec(26.0, _REAL),
    "FW_R_LIM": ParamSpec(50.0, _REAL),
    "FW_T_CLMB_MAX": ParamSpec(8.0, _REAL),
    "FW_T_SINK_MAX": ParamSpec(5.0, _REAL),
    "FW_T_CLMB_R_SP": ParamSpec(3.0, _REAL),
    "FW_T_SINK_R_SP": ParamSpec(2.0, _REAL),
    "FW_T_HRATE_FF": ParamSpec(0.3, _REAL),
    "FW_T_ALT_TC": ParamSpec(5.0, _REAL),
    "FW_LND_FLALT": ParamSpec(2.0, _REAL),
    "FW_LND_FL_SINK": ParamSpec(0.25, _REAL),
    "NPFG_PERIOD": ParamSpec(10.0, _REAL),
    "NPFG_DAMPING": ParamSpec(0.7, _REAL),
    "RTL_LOITER_RAD": ParamSpec(80.0, _REAL),
    "NAV_FW_ALT_RAD": ParamSpec(10.0, _REAL),
}
_VTOL_PARAMS = {
    "VT_ARSP_TRANS": ParamSpec(12.0, _REAL),
    "VT_B_DEC_MSS": ParamSpec(2.0, _REAL),
    "NAV_FORCE_VT": ParamSpec(1.0, _INT32),
}
# A fixed wing has no place to land without a planned landing: it circles over home (init.d/rc.fw_defaults).
_WING_DEFAULTS = {
    "RTL_LAND_DELAY": ParamSpec(-1.0, _REAL),
    "RTL_TYPE": ParamSpec(1.0, _INT32),
    "RTL_RETURN_ALT": ParamSpec(100.0, _REAL),
    "RTL_DESCEND_ALT": ParamSpec(100.0, _REAL),
}
# Set for wings and VTOL by its start-up scripts: no mission of theirs is flown that does not land.
_LANDS = {"MIS_TKO_LAND_REQ": ParamSpec(2.0, _INT32)}

# For so long after a heartbeat its sender counts as heard, before the time of COM_DL_LOSS_T begins (telemetry_status).
_STILL_HEARD_S = 2.5

_FIGURES: dict[str, Figure] = {
    "AUTO_OPTIONS": 0.0,
    "DISARM_DELAY": "COM_DISARM_LAND",
    "FS_GCS_ENABLE": "NAV_DLL_ACT",
    "FS_GCS_TIMEOUT": lambda p: p["COM_DL_LOSS_T"] + _STILL_HEARD_S,
    "FAILSAFE_HOLD": "COM_FAIL_ACT_T",
    "FS_OPTIONS": lambda p: 2.0 * (int(p["COM_DLL_EXCEPT"]) & 1),
    "FENCE_ENABLE": lambda p: float(p["GF_ACTION"] != 0.0),
    "FENCE_ACTION": "GF_ACTION",
    "FENCE_TYPE": lambda p: 4.0 + (p["GF_MAX_VER_DIST"] > 0.0) + 2.0 * (p["GF_MAX_HOR_DIST"] > 0.0),
    "FENCE_ALT_MAX": "GF_MAX_VER_DIST",
    "FENCE_RADIUS": "GF_MAX_HOR_DIST",
    "BATT_CAPACITY": "BAT1_CAPACITY",
    "BATT_WARN_MAH": lambda p: p["BAT_LOW_THR"] * p["BAT1_CAPACITY"],
    "BATT_LOW_MAH": lambda p: p["BAT_CRIT_THR"] * p["BAT1_CAPACITY"],
    "BATT_CRT_MAH": lambda p: p["BAT_EMERGEN_THR"] * p["BAT1_CAPACITY"],
    # With RTL_TYPE 1 home is for who has neither rally point nor landing; a rally point at home is none (rtl.cpp).
    "RALLY_INCL_HOME": lambda p: float(p["RTL_TYPE"] != 1.0),
    "RALLY_LIMIT_KM": 0.0,
    "RALLY_APART": 10.0,
    "RALLY_LANDS": 1.0,
    "TAKEOFF_ALT": "MIS_TAKEOFF_ALT",
}
_ROTOR_FIGURES: dict[str, Figure] = {
    **_FIGURES,
    "WPNAV_SPEED": lambda p: 100.0 * min(p["MPC_XY_CRUISE"], p["MPC_XY_VEL_MAX"]),
    "SPEED_MOST": "MPC_XY_VEL_MAX",
    "WPNAV_SPEED_UP": ("MPC_Z_V_AUTO_UP", 100.0),
    "WPNAV_SPEED_DN": ("MPC_Z_V_AUTO_DN", 100.0),
    "WPNAV_ACCEL": ("MPC_ACC_HOR", 100.0),
    "WPNAV_ACCEL_Z": ("MPC_ACC_UP_MAX", 100.0),
    "WPNAV_RADIUS": ("NAV_ACC_RAD", 100.0),
    "RTL_ALT": ("RTL_RETURN_ALT", 100.0),
    "RTL_SPEED": 0.0,
    "RTL_LOIT_TIME": lambda p: p["RTL_LAND_DELAY"] * 1000.0 if p["RTL_LAND_DELAY"] >= 0.0 else 1e12,
    "LOIT_SPEED": ("MPC_VEL_MANUAL", 100.0),
    "PILOT_SPEED_UP": ("MPC_Z_VEL_MAX_UP", 100.0),
    "PILOT_SPEED_DN": ("MPC_Z_VEL_MAX_DN", 100.0),
    "LAND_SPEED": ("MPC_LAND_SPEED", 100.0),
    "LAND_SPEED_HIGH": 0.0,
    "LAND_ALT_LOW": ("MPC_LAND_ALT2", 100.0),
}
_WING_FIGURES: dict[str, Figure] = {
    **_FIGURES,
    "AIRSPEED_CRUISE": "FW_AIRSPD_TRIM",
    "AIRSPEED_MIN": "FW_AIRSPD_MIN",
    "AIRSPEED_MAX": "FW_AIRSPD_MAX",
    "ROLL_LIMIT_DEG": "FW_R_LIM",
    "NAVL1_PERIOD": "NPFG_PERIOD",
    "NAVL1_DAMPING": "NPFG_DAMPING",
    "TECS_CLMB_MAX": "FW_T_CLMB_MAX",
    "TECS_SINK_MAX": "FW_T_SINK_MAX",
    "TECS_LAND_SINK": "FW_LND_FL_SINK",
    "TECS_HDEM_TCONST": 0.0,
    "TECS_TIME_CONST": "FW_T_ALT_TC",
    "ALT_SLOPE_MIN": 0.0,
    "ALT_SLOPE_MAXHGT": 0.0,
    "SLOPES_ALWAYS": 1.0,
    "HEIGHT_CLIMB": lambda p: min(p["FW_T_CLMB_R_SP"], p["FW_T_CLMB_MAX"]),
    "HEIGHT_SINK": lambda p: min(p["FW_T_SINK_R_SP"], p["FW_T_SINK_MAX"]),
    "HEIGHT_FORWARD": "FW_T_HRATE_FF",
    "LEVEL_WITHIN": "NAV_FW_ALT_RAD",
    "TAKEOFF_LAST": lambda p: min(p["FW_T_CLMB_R_SP"], p["FW_T_CLMB_MAX"]),
    "LAND_FLARE_ALT": "FW_LND_FLALT",
    # The guidance's own switch distance decides, unless the item's radius is larger.
    "WP_RADIUS": 1e6,
    "LANDING_IS_MARKER": 1.0,
    "ACCEPTS_WIDEST": 1.0,
    "WIDENS_IN_THIN_AIR": 0.0,
    "NAVL1_LIM_BANK": 0.0,
    "RTL_KEEPS_HEIGHT": 1.0,
    "WP_LOITER_RAD": "NAV_LOITER_RAD",
    # The side is that of the item's own radius: clockwise where it has none (mission_block.cpp).
    "ITEM_LOITER_RAD": lambda p: abs(p["NAV_LOITER_RAD"]),
    "RTL_ALTITUDE": "RTL_RETURN_ALT",
    "RTL_RADIUS": "RTL_LOITER_RAD",
    "RTL_AUTOLAND": lambda p: 2.0 * (p["RTL_TYPE"] == 1.0),
    "RTL_LANDS": lambda p: float(p["RTL_LAND_DELAY"] >= 0.0),
    **NO_ROTORS,
}

# --- the rest ------------------------------------------------------------------------------------------------------

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
    params={**_COMMON, **_ROTOR_PARAMS, **_ROTOR_DEFAULTS},
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
    figures=_ROTOR_FIGURES,
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
    params={**_COMMON, **_WING_PARAMS, **_WING_DEFAULTS, **_LANDS},
    figures=_WING_FIGURES,
    lifts_off=False,
)
"""Fixed wings."""

PX4_VTOL = replace(
    PX4_COPTER,
    form=Form.VTOL,
    types={"vtol": _VTOL_FIXEDROTOR},
    modes=(*_MODES, _ORBIT),
    params={**_COMMON, **_ROTOR_PARAMS, **_WING_PARAMS, **_VTOL_PARAMS, **_LANDS, "RTL_TYPE": ParamSpec(1.0, _INT32)},
    figures={
        **_WING_FIGURES,
        **_ROTOR_FIGURES,
        # On rotors a place is reached within NAV_MC_ALT_RAD in height: the wide radius is that of the wings.
        "WPNAV_RADIUS": lambda p: 100.0 * min(p["NAV_ACC_RAD"], 2.0),
        "TRANSITION_AIRSPEED": "VT_ARSP_TRANS",
        "TRANSITION_DECEL": "VT_B_DEC_MSS",
        "TAKEOFF_ON_WINGS": 0.0,
        # NAV_TAKEOFF stays on its rotors until a transition is told; only NAV_VTOL_TAKEOFF goes over by itself.
        "CRUISES_ON_WINGS": 0.0,
    },
)
"""Standard VTOL: wings with lift rotors."""
