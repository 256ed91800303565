"""PX4's parameters with their defaults, and the figures that a vehicle is flown by, made of them.

Sources: parameter reference of PX4 and its start-up scripts. Failsafes of the battery are on here, as an operator has
them; PX4 ships with a warning only.
"""

from __future__ import annotations

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.dialect_figures import NO_ROTORS, Figure
from sim.dialect_terms import ParamSpec

__all__ = [
    "ROTOR_FIGURES",
    "ROTOR_PARAMS",
    "VTOL_FIGURES",
    "VTOL_PARAMS",
    "WING_FIGURES",
    "WING_PARAMS",
]

_INT32, _REAL = int(mav.MAV_PARAM_TYPE_INT32), int(mav.MAV_PARAM_TYPE_REAL32)

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
_OF_ROTORS = {
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
_OF_WINGS = {
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
_OF_BOTH = {
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

ROTOR_PARAMS = {**_COMMON, **_OF_ROTORS, **_ROTOR_DEFAULTS}
"""Of multirotors."""

WING_PARAMS = {**_COMMON, **_OF_WINGS, **_WING_DEFAULTS, **_LANDS}
"""Of fixed wings."""

VTOL_PARAMS = {**_COMMON, **_OF_ROTORS, **_OF_WINGS, **_OF_BOTH, **_LANDS, "RTL_TYPE": ParamSpec(1.0, _INT32)}
"""Of wings with lift rotors."""

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
ROTOR_FIGURES: dict[str, Figure] = {
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
WING_FIGURES: dict[str, Figure] = {
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

VTOL_FIGURES: dict[str, Figure] = {
    **WING_FIGURES,
    **ROTOR_FIGURES,
    # On rotors a place is reached within NAV_MC_ALT_RAD in height: the wide radius is that of the wings.
    "WPNAV_RADIUS": lambda p: 100.0 * min(p["NAV_ACC_RAD"], 2.0),
    "TRANSITION_AIRSPEED": "VT_ARSP_TRANS",
    "TRANSITION_DECEL": "VT_B_DEC_MSS",
    "TAKEOFF_ON_WINGS": 0.0,
    # NAV_TAKEOFF stays on its rotors until a transition is told; only NAV_VTOL_TAKEOFF goes over by itself.
    "CRUISES_ON_WINGS": 0.0,
}
