"""PX4."""

from __future__ import annotations

import math
from types import MappingProxyType

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.dialect import (
    Ceiling,
    Dialect,
    GimbalWay,
    GroundWays,
    Limit,
    OrderWays,
    ParamEncoding,
    Rates,
    ReturnWays,
    Setting,
    Step,
    StepKind,
    Termination,
    When,
)
from autopilot.low_battery import PX4_BATTERY
from autopilot.speed_range import SpeedRange
from autopilot.words import MissionKind

__all__ = ["PX4"]

# Main and sub mode (PX4 px4_custom_mode.h).
_MODES = MappingProxyType(
    {
        "MANUAL": (1, 0),
        "ALTCTL": (2, 0),
        "POSCTL": (3, 0),
        "ORBIT": (3, 1),
        "POSITION_SLOW": (3, 2),
        "TAKEOFF": (4, 2),
        "HOLD": (4, 3),
        "MISSION": (4, 4),
        "RTL": (4, 5),
        "LAND": (4, 6),
        "FOLLOW": (4, 8),
        "PRECLAND": (4, 9),
        "VTOL_TAKEOFF": (4, 10),
        "ACRO": (5, 0),
        "OFFBOARD": (6, 0),
        "STABILIZED": (7, 0),
        "TERMINATION": (10, 0),
        "ALTITUDE_CRUISE": (11, 0),
    }
)

# Parameters that PX4 stores of an item at a place; a command in the mission frame keeps all of its own. A loiter for a
# time makes yes or no of its second and fourth (PX4 mavlink_mission.cpp, parse_mavlink_mission_item and
# format_mavlink_mission_item).
_KEPT = MappingProxyType(
    {
        mav.MAV_CMD_NAV_WAYPOINT: (1, 2, 4),
        mav.MAV_CMD_NAV_LOITER_UNLIM: (3, 4),
        mav.MAV_CMD_NAV_LOITER_TIME: (1, 3),
        mav.MAV_CMD_NAV_LOITER_TO_ALT: (2,),
        mav.MAV_CMD_NAV_LAND: (2, 4),
        mav.MAV_CMD_NAV_TAKEOFF: (4,),
        mav.MAV_CMD_NAV_VTOL_TAKEOFF: (4,),
        mav.MAV_CMD_NAV_VTOL_LAND: (4,),
        mav.MAV_CMD_DO_SET_ROI_LOCATION: (),
        mav.MAV_CMD_NAV_FENCE_RETURN_POINT: (),
        mav.MAV_CMD_NAV_FENCE_POLYGON_VERTEX_INCLUSION: (1,),
        mav.MAV_CMD_NAV_FENCE_POLYGON_VERTEX_EXCLUSION: (1,),
        mav.MAV_CMD_NAV_FENCE_CIRCLE_INCLUSION: (1,),
        mav.MAV_CMD_NAV_FENCE_CIRCLE_EXCLUSION: (1,),
        mav.MAV_CMD_NAV_RALLY_POINT: (),
    }
)
# Stored in radians from 0 to a full turn.
_HEADED = (
    mav.MAV_CMD_NAV_WAYPOINT,
    mav.MAV_CMD_NAV_LOITER_UNLIM,
    mav.MAV_CMD_NAV_LAND,
    mav.MAV_CMD_NAV_TAKEOFF,
    mav.MAV_CMD_NAV_VTOL_TAKEOFF,
    mav.MAV_CMD_NAV_VTOL_LAND,
)

_TERM = frozenset({4.0})
# PX4 failsafe.cpp and its enumerations. The circuit breaker is 121212 as PX4 is shipped; with any other value its
# failure detector acts.
_FAILED = When("CBRK_FLIGHTTERM", frozenset({121212.0}))
# To it every type is its cruise speed, that of a climb too (mission_block.cpp, ``issue_command``).
_ANY_SPEED = frozenset({0, 1, 2, 3})
_TERMINATIONS = (
    Termination("when it leaves its fence", (When("GF_ACTION", _TERM, other=False),)),
    Termination(
        "in strong wind", (When("COM_WIND_MAX_ACT", _TERM, other=False), When("COM_WIND_MAX", frozenset({-1.0})))
    ),
    Termination("when it is not sure of its position", (When("COM_POS_LOW_ACT", _TERM, other=False),)),
    Termination("when it loses one of its GPS", (When("COM_GNSSLOSS_ACT", frozenset({3.0}), other=False),)),
    Termination("when its remote identification fails", (When("COM_ARM_ODID", frozenset({5.0}), other=False),)),
    Termination("when a motor fails", (When("COM_ACT_FAIL_ACT", _TERM, other=False),), bearable=True),
    Termination("when it is tipped over", (_FAILED, When("FD_FAIL_P")), bearable=True),
    Termination("when it is rolled over", (_FAILED, When("FD_FAIL_R")), bearable=True),
    Termination("when a parachute's trigger asks for it", (_FAILED, When("FD_EXT_ATS_EN")), bearable=True),
)

PX4 = Dialect(
    name="px4",
    modes=MappingProxyType({name: main << 16 | sub << 24 for name, (main, sub) in _MODES.items()}),
    mode_params=_MODES,
    mission_mode="MISSION",
    pause_mode="HOLD",
    return_mode="RTL",
    land_mode="LAND",
    start=(Step(StepKind.MODE, "MISSION"), Step(StepKind.ARM)),
    home_is_item_0=False,
    kept_params=_KEPT,
    held_figures=MappingProxyType({}),
    headings=MappingProxyType(dict.fromkeys(_HEADED, 4)),
    keeps_autocontinue=True,
    judges_missions=True,
    keeps_place_of_actions=True,
    accepts_nan=True,
    height_step_m=0.001,
    download_window=1,
    # PX4 dataman: DM_KEY_FENCE_POINTS_MAX, DM_KEY_SAFE_POINTS_MAX.
    limits=MappingProxyType(
        {
            MissionKind.MISSION: Limit(default=500),
            MissionKind.FENCE: Limit(default=64),
            MissionKind.RALLY: Limit(default=32),
        }
    ),
    most_jumps=None,
    # GF_ACTION: 2 hold, 3 return, 5 land. 0 does nothing, 1 only warns, 4 ends the flight where it is.
    fence=(Setting("GF_ACTION", 3, allowed=frozenset({2, 3, 5})),),
    ceiling=Ceiling("GF_MAX_VER_DIST"),
    # RTL_TYPE: 1 to the landing of the mission or a rally point, 2 to that landing along the mission. 0 goes home.
    landing=Setting("RTL_TYPE", 1, allowed=frozenset({1, 2})),
    # rtl.cpp. A breach outdoes a return but where it asks for one itself: by framework.cpp, and flown with 2 and 3.
    returns=ReturnWays(
        "RTL_RETURN_ALT",
        along_mission=frozenset({2, 4}),
        stopped=MappingProxyType({2: "stays there until its battery is low", 5: "lands where it is"}),
    ),
    leash="GF_MAX_HOR_DIST",
    estimator_message="ESTIMATOR_STATUS",
    param_encoding=ParamEncoding.BYTEWISE,
    # Its commands know no frame: a height in them is above mean sea level (PX4 MavlinkReceiver, COMMAND_INT).
    orders=OrderWays(
        guided_mode="HOLD",
        frame=mav.MAV_FRAME_GLOBAL,
        no_heading=math.nan,
        # An armed vehicle that is not to take off disarms by itself, so the order comes first.
        take_off=(Step(StepKind.COMMAND, mav.MAV_CMD_NAV_TAKEOFF), Step(StepKind.ARM)),
        circle="NAV_LOITER_RAD",
        widens_in_thin_air=False,
        speed_type=mav.SPEED_TYPE_GROUNDSPEED,
        gimbal=GimbalWay.MANAGER,
        claims_gimbal=True,
        frees_nose_by_place=False,
        jumps_by_message=True,
        # To its autopilot they are unknown (main of May 2026).
        camera=mav.MAV_COMP_ID_CAMERA,
    ),
    ground=GroundWays("NAV_DLL_ACT"),
    radio="NAV_RCL_ACT",
    battery=PX4_BATTERY,
    prearm_unlisted=True,
    rates=Rates("FW_T_CLMB_R_SP", "FW_T_SINK_R_SP", "FW_AIRSPD_TRIM"),
    rotor_speeds=SpeedRange("MPC_XY_VEL_MAX", types=_ANY_SPEED, room_m_s=0.1),
    wing_speeds=SpeedRange("FW_AIRSPD_MAX", "FW_AIRSPD_MIN", _ANY_SPEED, 0.1),
    drops_fence_off_home=True,
    # Its navigator goes round 20 times a second: once it asks for an item, and once more it takes that (geofence.cpp,
    # ``run``; DatamanCache, ``update``). Main of May 2026 took 0.5, 1.6, 3.2 and 6.4 s over 4, 16, 32 and 64 items.
    fence_item_s=0.1,
    terminations=_TERMINATIONS,
)
"""PX4 1.14 and later."""
