"""ArduPilot: Copter, Plane and QuadPlane, as of 4.7.

Sources: parameter lists and mode numbers of ArduPilot's documentation, what AP_Mission stores of each command, and what
was seen on ArduCopter 4.7. Failsafes of the battery are on here, as an operator has them; ArduPilot ships them off.
"""

from __future__ import annotations

from dataclasses import replace

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.dialect import Dialect
from sim.dialect_figures import NO_ROTORS, Figure
from sim.dialect_room import by_bytes
from sim.dialect_terms import FALL, Action, BatteryLevel, Failsafes, Form, ModeSpec, ParamSpec
from sim.flight_items import (
    ARDUPILOT_RULES,
    FENCE_COMMANDS,
    PLANE_COMMANDS,
    RALLY_COMMANDS,
    StoreRules,
    ardupilot_store,
)
from sim.flight_modes import Mode

__all__ = ["ARDUCOPTER", "ARDUPLANE", "QUADPLANE"]

_INT8, _INT16 = int(mav.MAV_PARAM_TYPE_INT8), int(mav.MAV_PARAM_TYPE_INT16)
_INT32, _REAL = int(mav.MAV_PARAM_TYPE_INT32), int(mav.MAV_PARAM_TYPE_REAL32)

_COMMON = {
    "MAV_SYSID": ParamSpec(1.0, _INT16),
    "MAV_GCS_SYSID": ParamSpec(255.0, _INT16),
    "RC_OVERRIDE_TIME": ParamSpec(3.0, _REAL),
    "MIS_RESTART": ParamSpec(0.0, _INT8),
    "RALLY_INCL_HOME": ParamSpec(1.0, _INT8),
    "FENCE_ENABLE": ParamSpec(0.0, _INT8),
    "FENCE_ACTION": ParamSpec(1.0, _INT8),
    "FENCE_TYPE": ParamSpec(7.0, _INT8),
    "FENCE_ALT_MAX": ParamSpec(100.0, _REAL),
    "FENCE_RADIUS": ParamSpec(300.0, _REAL),
    "FENCE_MARGIN": ParamSpec(2.0, _REAL),
    "BATT_FS_LOW_ACT": ParamSpec(2.0, _INT8),
    "BATT_FS_CRT_ACT": ParamSpec(1.0, _INT8),
    "BATT_CAPACITY": ParamSpec(0.0, _INT32),
    "BATT_LOW_MAH": ParamSpec(0.0, _REAL),
    "BATT_CRT_MAH": ParamSpec(0.0, _REAL),
    "BRD_OPTIONS": ParamSpec(1.0, _INT32),
    "BRD_SD_MISSION": ParamSpec(0.0, _INT16),
    "BRD_SD_FENCE": ParamSpec(0.0, _INT16),
    "ARMING_SKIPCHK": ParamSpec(0.0, _INT32),
    "TERRAIN_ENABLE": ParamSpec(1.0, _INT8),
    "TERRAIN_SPACING": ParamSpec(100.0, _INT16),
}
_COPTER_PARAMS = {
    **_COMMON,
    "FRAME_CLASS": ParamSpec(1.0, _INT8),
    "AUTO_OPTIONS": ParamSpec(0.0, _INT32),
    "WP_SPD": ParamSpec(10.0, _REAL),
    "WP_SPD_UP": ParamSpec(2.5, _REAL),
    "WP_SPD_DN": ParamSpec(1.5, _REAL),
    "WP_ACC": ParamSpec(2.5, _REAL),
    "WP_ACC_Z": ParamSpec(1.0, _REAL),
    "WP_RADIUS_M": ParamSpec(2.0, _REAL),
    "CIRCLE_RADIUS_M": ParamSpec(10.0, _REAL),
    "CIRCLE_RATE": ParamSpec(20.0, _REAL),
    "RTL_ALT_M": ParamSpec(15.0, _REAL),
    "RTL_ALT_TYPE": ParamSpec(0.0, _INT8),
    "RTL_SPEED_MS": ParamSpec(0.0, _REAL),
    "RTL_LOIT_TIME": ParamSpec(5000.0, _INT32),
    "RALLY_LIMIT_KM": ParamSpec(0.3, _REAL),
    "LOIT_SPEED_MS": ParamSpec(12.5, _REAL),
    "PILOT_SPD_UP": ParamSpec(2.5, _REAL),
    "PILOT_SPD_DN": ParamSpec(0.0, _REAL),
    "LAND_SPD_MS": ParamSpec(0.5, _REAL),
    "LAND_SPD_HIGH_MS": ParamSpec(0.0, _REAL),
    "LAND_ALT_LOW_M": ParamSpec(10.0, _REAL),
    "DISARM_DELAY": ParamSpec(10.0, _INT8),
    "FS_GCS_ENABLE": ParamSpec(0.0, _INT8),
    "FS_THR_ENABLE": ParamSpec(1.0, _INT8),
    "FS_OPTIONS": ParamSpec(16.0, _INT32),
    "FS_GCS_TIMEOUT": ParamSpec(5.0, _REAL),
}
# Metres. The fence of Plane is a polygon by default.
_PLANE_PARAMS = {
    **_COMMON,
    "FENCE_TYPE": ParamSpec(4.0, _INT8),
    "BATT_FS_LOW_ACT": ParamSpec(1.0, _INT8),
    "BATT_FS_CRT_ACT": ParamSpec(2.0, _INT8),
    "RALLY_LIMIT_KM": ParamSpec(5.0, _REAL),
    "AIRSPEED_CRUISE": ParamSpec(18.0, _REAL),
    "AIRSPEED_MIN": ParamSpec(12.0, _REAL),
    "AIRSPEED_MAX": ParamSpec(26.0, _REAL),
    "ROLL_LIMIT_DEG": ParamSpec(45.0, _REAL),
    "NAVL1_PERIOD": ParamSpec(17.0, _REAL),
    "NAVL1_DAMPING": ParamSpec(0.75, _REAL),
    "NAVL1_LIM_BANK": ParamSpec(0.0, _REAL),
    "TECS_CLMB_MAX": ParamSpec(5.0, _REAL),
    "TECS_SINK_MAX": ParamSpec(5.0, _REAL),
    "TECS_LAND_SINK": ParamSpec(0.25, _REAL),
    "TECS_HDEM_TCONST": ParamSpec(3.0, _REAL),
    "TECS_TIME_CONST": ParamSpec(5.0, _REAL),
    "ALT_SLOPE_MIN": ParamSpec(15.0, _REAL),
    "ALT_SLOPE_MAXHGT": ParamSpec(5.0, _REAL),
    "LAND_FLARE_ALT": ParamSpec(3.0, _REAL),
    "LAND_DISARMDELAY": ParamSpec(20.0, _INT8),
    "WP_RADIUS": ParamSpec(90.0, _INT16),
    "WP_LOITER_RAD": ParamSpec(60.0, _INT16),
    "RTL_ALTITUDE": ParamSpec(100.0, _REAL),
    "RTL_RADIUS": ParamSpec(0.0, _INT16),
    "RTL_AUTOLAND": ParamSpec(0.0, _INT8),
    "FS_GCS_ENABL": ParamSpec(0.0, _INT8),
    "FS_LONG_ACTN": ParamSpec(0.0, _INT8),
    "THR_FAILSAFE": ParamSpec(1.0, _INT8),
    "FS_LONG_TIMEOUT": ParamSpec(5.0, _REAL),
}
_QUADPLANE_PARAMS = {
    **_PLANE_PARAMS,
    "Q_ENABLE": ParamSpec(1.0, _INT8),
    "Q_RTL_MODE": ParamSpec(0.0, _INT8),
    "Q_RTL_ALT": ParamSpec(15.0, _INT16),
    "Q_OPTIONS": ParamSpec(0.0, _INT32),
    "Q_WP_SPD": ParamSpec(5.0, _REAL),
    "Q_WP_SPD_UP": ParamSpec(2.5, _REAL),
    "Q_WP_SPD_DN": ParamSpec(1.5, _REAL),
    "Q_WP_ACC": ParamSpec(2.5, _REAL),
    "Q_WP_ACC_Z": ParamSpec(1.0, _REAL),
    "Q_WP_RADIUS_M": ParamSpec(2.0, _REAL),
    "Q_LOIT_SPEED_MS": ParamSpec(5.0, _REAL),
    "Q_PILOT_SPD_UP": ParamSpec(2.5, _REAL),
    "Q_PILOT_SPD_DN": ParamSpec(0.0, _REAL),
    "Q_LAND_FINAL_SPD": ParamSpec(0.5, _REAL),
    "Q_LAND_FINAL_ALT": ParamSpec(6.0, _REAL),
    "Q_TRANS_DECEL": ParamSpec(2.0, _REAL),
}

# What 4.7 has in metres had centimetres before, under these names (ArduPilot's page of parameter name changes).
_WAYS = {
    "SPD": "SPEED",
    "SPD_UP": "SPEED_UP",
    "SPD_DN": "SPEED_DN",
    "ACC": "ACCEL",
    "ACC_Z": "ACCEL_Z",
    "RADIUS_M": "RADIUS",
}
_COPTER_RENAMED = {
    **{f"WP_{new}": (f"WPNAV_{old}", _REAL) for new, old in _WAYS.items()},
    "CIRCLE_RADIUS_M": ("CIRCLE_RADIUS", _REAL),
    "RTL_ALT_M": ("RTL_ALT", _INT32),
    "RTL_SPEED_MS": ("RTL_SPEED", _INT16),
    "LOIT_SPEED_MS": ("LOIT_SPEED", _REAL),
    "PILOT_SPD_UP": ("PILOT_SPEED_UP", _INT16),
    "PILOT_SPD_DN": ("PILOT_SPEED_DN", _INT16),
    "LAND_SPD_MS": ("LAND_SPEED", _INT16),
    "LAND_SPD_HIGH_MS": ("LAND_SPEED_HIGH", _INT16),
    "LAND_ALT_LOW_M": ("LAND_ALT_LOW", _INT16),
}

_MANUAL = mav.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED | mav.MAV_MODE_FLAG_MANUAL_INPUT_ENABLED
_HELD = _MANUAL | mav.MAV_MODE_FLAG_STABILIZE_ENABLED
_GUIDED = _HELD | mav.MAV_MODE_FLAG_GUIDED_ENABLED
_COPTER_MODES = (
    ModeSpec(Mode.STABILIZE, "STABILIZE", 0, _HELD),
    ModeSpec(Mode.ALT_HOLD, "ALT_HOLD", 2, _HELD),
    ModeSpec(Mode.AUTO, "AUTO", 3, _GUIDED),
    ModeSpec(Mode.GUIDED, "GUIDED", 4, _GUIDED),
    ModeSpec(Mode.LOITER, "LOITER", 5, _GUIDED),
    ModeSpec(Mode.RTL, "RTL", 6, _GUIDED, armable=False),
    ModeSpec(Mode.LAND, "LAND", 9, _HELD, armable=False),
    ModeSpec(Mode.BRAKE, "BRAKE", 17, _GUIDED, armable=False),
)
_PLANE_MODES = (
    ModeSpec(Mode.MANUAL, "MANUAL", 0, _MANUAL),
    ModeSpec(Mode.CIRCLE, "CIRCLE", 1, _GUIDED, armable=False),
    ModeSpec(Mode.STABILIZE, "STABILIZE", 2, _HELD),
    ModeSpec(Mode.FBWA, "FBWA", 5, _HELD),
    ModeSpec(Mode.CRUISE, "CRUISE", 7, _HELD),
    ModeSpec(Mode.AUTO, "AUTO", 10, _GUIDED),
    ModeSpec(Mode.RTL, "RTL", 11, _GUIDED, armable=False),
    ModeSpec(Mode.LOITER, "LOITER", 12, _GUIDED, armable=False),
    ModeSpec(Mode.TAKEOFF, "TAKEOFF", 13, _GUIDED),
    ModeSpec(Mode.GUIDED, "GUIDED", 15, _GUIDED, armable=False),
)
_QUADPLANE_MODES = (
    *(replace(row, armable=True) if row.mode is Mode.GUIDED else row for row in _PLANE_MODES),
    ModeSpec(Mode.HOVER, "QHOVER", 18, _HELD),
    ModeSpec(Mode.HOVER_LOITER, "QLOITER", 19, _HELD),
    ModeSpec(Mode.LAND, "QLAND", 20, _HELD, armable=False),
    ModeSpec(Mode.HOVER_RTL, "QRTL", 21, _GUIDED, armable=False),
)

# Smart RTL is not simulated: what would fly back along its own way returns straight.
_COPTER_BATTERY: dict[int, Action] = {
    0: None, 1: Mode.LAND, 2: Mode.RTL, 3: Mode.RTL, 4: Mode.RTL, 5: FALL, 6: Mode.RTL, 7: Mode.BRAKE,
}  # fmt: skip
_PLANE_BATTERY: dict[int, Action] = {0: None, 1: Mode.RTL, 2: Mode.RTL, 3: FALL, 5: FALL}
_QUADPLANE_BATTERY: dict[int, Action] = {**_PLANE_BATTERY, 4: Mode.LAND, 6: Mode.LAND}


def _levels(actions: dict[int, Action]) -> tuple[BatteryLevel, ...]:
    return (
        BatteryLevel("BATT_LOW_MAH", "BATT_FS_LOW_ACT", actions, critical=False, text="Battery 1 is low"),
        BatteryLevel("BATT_CRT_MAH", "BATT_FS_CRT_ACT", actions, critical=True, text="Battery 1 is critical"),
    )


_CURRENT_MODE = 436  # PX4's

_CAPABILITIES = (
    mav.MAV_PROTOCOL_CAPABILITY_MISSION_FLOAT
    | mav.MAV_PROTOCOL_CAPABILITY_PARAM_FLOAT
    | mav.MAV_PROTOCOL_CAPABILITY_MISSION_INT
    | mav.MAV_PROTOCOL_CAPABILITY_COMMAND_INT
    | mav.MAV_PROTOCOL_CAPABILITY_SET_POSITION_TARGET_GLOBAL_INT
    | mav.MAV_PROTOCOL_CAPABILITY_MAVLINK2
    | mav.MAV_PROTOCOL_CAPABILITY_MISSION_FENCE
    | mav.MAV_PROTOCOL_CAPABILITY_MISSION_RALLY
)

# Breaking a landing off, and slewing in GUIDED, are Plane's.
_PLANES_OWN = frozenset(
    {
        mav.MAV_CMD_DO_GO_AROUND,
        mav.MAV_CMD_GUIDED_CHANGE_SPEED,
        mav.MAV_CMD_GUIDED_CHANGE_ALTITUDE,
        mav.MAV_CMD_GUIDED_CHANGE_HEADING,
    }
)

# AP_Mission::verify_command: these it looks after itself, and never says that they are done.
_UNTOLD = frozenset(
    {
        mav.MAV_CMD_DO_GIMBAL_MANAGER_PITCHYAW,
        mav.MAV_CMD_DO_DIGICAM_CONTROL,
        mav.MAV_CMD_DO_SET_CAM_TRIGG_DIST,
        mav.MAV_CMD_IMAGE_START_CAPTURE,
        mav.MAV_CMD_IMAGE_STOP_CAPTURE,
        mav.MAV_CMD_SET_CAMERA_ZOOM,
        mav.MAV_CMD_SET_CAMERA_FOCUS,
        mav.MAV_CMD_VIDEO_START_CAPTURE,
        mav.MAV_CMD_VIDEO_STOP_CAPTURE,
    }
)

ARDUCOPTER = Dialect(
    name="ardupilot",
    form=Form.ROTOR,
    autopilot=int(mav.MAV_AUTOPILOT_ARDUPILOTMEGA),
    types={"copter": 2, "quad": 2, "hexa": 13, "octo": 14},
    version=4 << 24 | 7 << 16,
    capabilities=_CAPABILITIES,
    modes=_COPTER_MODES,
    boot_mode=Mode.STABILIZE,
    goto_mode=Mode.GUIDED,
    params=_COPTER_PARAMS,
    from_power={
        "BATT_CAPACITY": lambda mah, _, __: float(round(mah)),
        "BATT_LOW_MAH": lambda mah, low, _: float(round(mah * low / 100.0)),
        "BATT_CRT_MAH": lambda mah, _, critical: float(round(mah * critical / 100.0)),
    },
    sysid_param="MAV_SYSID",
    rules=ARDUPILOT_RULES,
    figures={old: (new, 100.0) for new, (old, _) in _COPTER_RENAMED.items()},
    renamed=_COPTER_RENAMED,
    home_first=True,
    tells_places=frozenset({mav.MAV_CMD_NAV_WAYPOINT, mav.MAV_CMD_NAV_SPLINE_WAYPOINT, mav.MAV_CMD_NAV_LOITER_TIME}),
    untold=_UNTOLD | {mav.MAV_CMD_NAV_LOITER_TO_ALT},
    tells_last=True,
    landed_s=2.0,  # seen on 4.7-dev, in RTL
    names_absent=True,
    room=by_bytes(9758, 560, 690),
    failsafes=Failsafes(
        fence={0: None, 1: Mode.RTL, 2: Mode.LAND, 3: Mode.RTL, 4: Mode.BRAKE, 5: Mode.RTL},
        gcs={1: Mode.RTL, 3: Mode.RTL, 4: Mode.RTL, 5: Mode.LAND, 6: Mode.RTL, 7: Mode.BRAKE},
        battery=_levels(_COPTER_BATTERY),
    ),
    silent=frozenset({int(mav.MAVLINK_MSG_ID_ESTIMATOR_STATUS), int(mav.MAVLINK_MSG_ID_ALTITUDE), _CURRENT_MODE}),
    legacy_names={"MAV_SYSID": "SYSID_THISMAV", "MAV_GCS_SYSID": "SYSID_MYGCS"},
    # 4.6 names the checks that are made, 1 for all; 4.7 those that are not.
    legacy_params={"ARMING_SKIPCHK": ("ARMING_CHECK", ParamSpec(1.0, _INT32))},
    refused=_PLANES_OWN,
    rtl_changes_mode=False,
    speed_modes=frozenset({Mode.AUTO, Mode.GUIDED, Mode.RTL}),
    stick_modes=frozenset({Mode.STABILIZE, Mode.ALT_HOLD, Mode.LOITER}),
    streams={int(mav.MAVLINK_MSG_ID_HEARTBEAT): 1.0, int(mav.MAVLINK_MSG_ID_TIMESYNC): 10.0},
)
"""Multirotors."""

# Pause, turning on the spot and landing by command are Copter's.
_COPTERS_OWN = frozenset(
    {
        mav.MAV_CMD_DO_PAUSE_CONTINUE,
        mav.MAV_CMD_CONDITION_YAW,
        mav.MAV_CMD_NAV_LAND,
        mav.MAV_CMD_NAV_VTOL_LAND,
        mav.MAV_CMD_NAV_VTOL_TAKEOFF,
    }
)
_PLANE_FIGURES: dict[str, Figure] = {
    "DISARM_DELAY": "LAND_DISARMDELAY",
    "AUTO_OPTIONS": 0.0,
    "FS_GCS_ENABLE": lambda p: p["FS_LONG_ACTN"] if p["FS_GCS_ENABL"] else 0.0,
    "FS_GCS_TIMEOUT": "FS_LONG_TIMEOUT",
    "FS_OPTIONS": 0.0,
    "RTL_LANDS": 0.0,
    "ITEM_LOITER_RAD": "WP_LOITER_RAD",
    "TAKEOFF_ALT": 50.0,
    "LANDING_IS_MARKER": 0.0,
    "ACCEPTS_WIDEST": 0.0,
    "WIDENS_IN_THIN_AIR": 1.0,
    "RTL_KEEPS_HEIGHT": 0.0,
    "RTL_DESCEND_ALT": "RTL_ALTITUDE",
    "SLOPES_ALWAYS": 0.0,
    "HEIGHT_CLIMB": "TECS_CLMB_MAX",
    "HEIGHT_SINK": "TECS_SINK_MAX",
    "HEIGHT_FORWARD": 1.0,
    **NO_ROTORS,
}

_PLANE_STICKS = frozenset({Mode.MANUAL, Mode.STABILIZE, Mode.FBWA, Mode.CRUISE})

ARDUPLANE = replace(
    ARDUCOPTER,
    legacy_names={
        **ARDUCOPTER.legacy_names,
        "ALT_SLOPE_MIN": "GLIDE_SLOPE_MIN",
        "ALT_SLOPE_MAXHGT": "GLIDE_SLOPE_THR",
    },
    form=Form.WING,
    tells_places=frozenset(),
    untold=_UNTOLD,
    types={"plane": int(mav.MAV_TYPE_FIXED_WING)},
    modes=_PLANE_MODES,
    boot_mode=Mode.MANUAL,
    params=_PLANE_PARAMS,
    figures=_PLANE_FIGURES,
    renamed={},
    room=by_bytes(9842, 672, 750),
    rules=StoreRules({0: PLANE_COMMANDS, 1: FENCE_COMMANDS, 2: RALLY_COMMANDS}, ardupilot_store),
    failsafes=Failsafes(
        fence={0: None, 1: Mode.RTL, 6: Mode.GUIDED, 7: Mode.GUIDED, 8: Mode.RTL},
        gcs={1: Mode.RTL, 2: Mode.FBWA, 3: FALL, 4: Mode.AUTO},
        battery=_levels(_PLANE_BATTERY),
    ),
    # NAV_TAKEOFF as a command is QuadPlane's.
    refused=_COPTERS_OWN | {mav.MAV_CMD_NAV_TAKEOFF},
    ends_flights=False,
    heeds_nothing=True,
    speed_modes=frozenset({Mode.AUTO, Mode.GUIDED}),
    stick_modes=_PLANE_STICKS,
    auto_armable=True,
    auto_starts=True,
    rtl_changes_mode=True,
    idle_figure="",
    landed_s=0.0,
    tells_landing=False,
)
"""Fixed wings."""

QUADPLANE = replace(
    ARDUPLANE,
    form=Form.VTOL,
    # Q_MAV_TYPE is 0 by default: a QuadPlane calls itself a fixed wing.
    types={"vtol": int(mav.MAV_TYPE_FIXED_WING)},
    modes=_QUADPLANE_MODES,
    params=_QUADPLANE_PARAMS,
    figures={
        **_PLANE_FIGURES,
        **{f"WPNAV_{old}": (f"Q_WP_{new}", 100.0) for new, old in _WAYS.items()},
        "RTL_ALT": ("Q_RTL_ALT", 100.0),
        "RTL_SPEED": 0.0,
        "RTL_LOIT_TIME": 0.0,
        "LOIT_SPEED": ("Q_LOIT_SPEED_MS", 100.0),
        "PILOT_SPEED_UP": ("Q_PILOT_SPD_UP", 100.0),
        "PILOT_SPEED_DN": ("Q_PILOT_SPD_DN", 100.0),
        "LAND_SPEED": ("Q_LAND_FINAL_SPD", 100.0),
        "LAND_SPEED_HIGH": 0.0,
        "LAND_ALT_LOW": ("Q_LAND_FINAL_ALT", 100.0),
        "RTL_LANDS": lambda p: 1.0 if p["Q_RTL_MODE"] else 0.0,
        "TRANSITION_AIRSPEED": "AIRSPEED_MIN",
        "TRANSITION_DECEL": "Q_TRANS_DECEL",
        # Q_OPTIONS bit 1: NAV_TAKEOFF of a fixed wing.
        "TAKEOFF_ON_WINGS": lambda p: float(int(p["Q_OPTIONS"]) >> 1 & 1),
        "CRUISES_ON_WINGS": 1.0,
    },
    renamed={
        **{f"Q_WP_{new}": (f"Q_WP_{old}", _REAL) for new, old in _WAYS.items()},
        "Q_LOIT_SPEED_MS": ("Q_LOIT_SPEED", _REAL),
    },
    stick_modes=_PLANE_STICKS | {Mode.HOVER, Mode.HOVER_LOITER},
    failsafes=replace(ARDUPLANE.failsafes, battery=_levels(_QUADPLANE_BATTERY)),
    refused=_COPTERS_OWN,
)
"""Vertical take-off planes: fixed wings with lift motors."""
