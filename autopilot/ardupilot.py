"""ArduPilot: Copter and Plane."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
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
    Setting,
    Step,
    StepKind,
    Termination,
    When,
)
from autopilot.held_figures import WHOLE, HeldAngle, HeldFigure
from autopilot.low_battery import COPTER_BATTERY, PLANE_BATTERY
from autopilot.speed_range import SpeedRange
from autopilot.words import MissionKind

__all__ = ["ARDUCOPTER", "ARDUPLANE"]

_COPTER_MODES = MappingProxyType(
    {
        "STABILIZE": 0,
        "ACRO": 1,
        "ALT_HOLD": 2,
        "AUTO": 3,
        "GUIDED": 4,
        "LOITER": 5,
        "RTL": 6,
        "CIRCLE": 7,
        "LAND": 9,
        "DRIFT": 11,
        "SPORT": 13,
        "FLIP": 14,
        "AUTOTUNE": 15,
        "POSHOLD": 16,
        "BRAKE": 17,
        "THROW": 18,
        "AVOID_ADSB": 19,
        "GUIDED_NOGPS": 20,
        "SMART_RTL": 21,
        "FLOWHOLD": 22,
        "FOLLOW": 23,
        "ZIGZAG": 24,
        "SYSTEMID": 25,
        "AUTOROTATE": 26,
        "AUTO_RTL": 27,
    }
)
_PLANE_MODES = MappingProxyType(
    {
        "MANUAL": 0,
        "CIRCLE": 1,
        "STABILIZE": 2,
        "TRAINING": 3,
        "ACRO": 4,
        "FBWA": 5,
        "FBWB": 6,
        "CRUISE": 7,
        "AUTOTUNE": 8,
        "AUTO": 10,
        "RTL": 11,
        "LOITER": 12,
        "TAKEOFF": 13,
        "AVOID_ADSB": 14,
        "GUIDED": 15,
        "QSTABILIZE": 17,
        "QHOVER": 18,
        "QLOITER": 19,
        "QLAND": 20,
        "QRTL": 21,
        "QAUTOTUNE": 22,
        "QACRO": 23,
        "THERMAL": 24,
        "LOITER_TO_QLAND": 25,
    }
)

# Parameters that AP_Mission stores of each command; the others come back as 0 (Copter, 4.5 to 4.7).
_KEPT = MappingProxyType(
    {
        mav.MAV_CMD_NAV_WAYPOINT: (1,),
        mav.MAV_CMD_NAV_SPLINE_WAYPOINT: (1,),
        mav.MAV_CMD_NAV_LOITER_UNLIM: (3,),
        mav.MAV_CMD_NAV_LOITER_TURNS: (1, 3),
        mav.MAV_CMD_NAV_LOITER_TIME: (1,),
        mav.MAV_CMD_NAV_LOITER_TO_ALT: (2, 4),
        mav.MAV_CMD_NAV_RETURN_TO_LAUNCH: (),
        mav.MAV_CMD_NAV_LAND: (1,),
        mav.MAV_CMD_NAV_TAKEOFF: (1,),
        mav.MAV_CMD_DO_JUMP: (1, 2),
        mav.MAV_CMD_DO_CHANGE_SPEED: (1, 2, 3),
        mav.MAV_CMD_DO_SET_ROI_LOCATION: (1,),
        mav.MAV_CMD_DO_SET_ROI: (1,),
        mav.MAV_CMD_DO_MOUNT_CONTROL: (1, 2, 3),
        mav.MAV_CMD_DO_SET_CAM_TRIGG_DIST: (1, 3),
        # The number that the pictures begin with may be left open.
        mav.MAV_CMD_IMAGE_START_CAPTURE: (1, 2, 3),
        mav.MAV_CMD_IMAGE_STOP_CAPTURE: (1,),
        mav.MAV_CMD_VIDEO_START_CAPTURE: (1,),
        mav.MAV_CMD_VIDEO_STOP_CAPTURE: (1,),
        mav.MAV_CMD_DO_LAND_START: (),
        mav.MAV_CMD_NAV_FENCE_RETURN_POINT: (),
        mav.MAV_CMD_NAV_FENCE_POLYGON_VERTEX_INCLUSION: (1,),
        mav.MAV_CMD_NAV_FENCE_POLYGON_VERTEX_EXCLUSION: (1,),
        mav.MAV_CMD_NAV_FENCE_CIRCLE_INCLUSION: (1,),
        mav.MAV_CMD_NAV_FENCE_CIRCLE_EXCLUSION: (1,),
        mav.MAV_CMD_NAV_RALLY_POINT: (),
    }
)

_BYTE = MappingProxyType({255.0: 1.0})

# What is held in words of 8 or 16 bits (AP_Mission.cpp, `mavlink_int_to_mission_cmd`; AP_Rally.h, `RallyLocation`).
_RATE = HeldFigure(MappingProxyType({127.0: 1.0}))
_HELD: Mapping[int, Mapping[int, HeldFigure | HeldAngle]] = MappingProxyType(
    {
        mav.MAV_CMD_NAV_WAYPOINT: {1: WHOLE},
        mav.MAV_CMD_NAV_SPLINE_WAYPOINT: {1: WHOLE},
        mav.MAV_CMD_NAV_LOITER_UNLIM: {3: WHOLE},
        # Less than one turn in parts of it, radii above 255 m in tens of metres (so since 4.2; seen on 4.7-dev).
        mav.MAV_CMD_NAV_LOITER_TURNS: {
            1: HeldFigure(MappingProxyType({255 / 256: 1 / 256, **_BYTE})),
            3: HeldFigure(MappingProxyType({**_BYTE, 2550.0: 10.0})),
        },
        mav.MAV_CMD_NAV_LOITER_TIME: {1: WHOLE},
        mav.MAV_CMD_NAV_LOITER_TO_ALT: {2: WHOLE},
        mav.MAV_CMD_NAV_LAND: {1: WHOLE},
        mav.MAV_CMD_NAV_TAKEOFF: {1: WHOLE},
        # Degrees, of which it would cut what is behind the point, and degrees a second: a slow rate is not to be none.
        mav.MAV_CMD_DO_GIMBAL_MANAGER_PITCHYAW: {1: HeldAngle(8), 2: HeldAngle(16), 3: _RATE, 4: _RATE},
        mav.MAV_CMD_NAV_RALLY_POINT: {7: HeldFigure(MappingProxyType({32767.0: 1.0}), upward=True)},
    }
)

# An item takes 15 bytes, and all of them 4 in front (AP_Mission.cpp); a card gives 65535 bytes at most.
_MISSION = Limit(default=650, parameter="BRD_SD_MISSION", item_bytes=15, head_bytes=4, most=4368)


def _vertices(board_bytes: int) -> Limit:
    """What holds a fence of one polygon; each more of them takes two bytes.

    A vertex takes 8, and all of them 4 in front, 2 for their polygon and 1 at the end (AC_PolyFence_loader.cpp). Their
    number is held in one byte: that of all, or in newer versions that of a polygon.
    """
    return Limit(default=(board_bytes - 7) // 8, parameter="BRD_SD_FENCE", item_bytes=8, head_bytes=7, most=255)


def _fence(actions: frozenset[int]) -> tuple[Setting, ...]:
    """FENCE_TYPE: 4 polygons; 2 a circle about home, by default of 300 m, which no patrol stays in.

    An action of 0 only reports; those of Copter and of Plane are different numbers (ArduPilot `AC_Fence.h`).
    """
    return (
        Setting("FENCE_TYPE", 4, clear=2),
        Setting("FENCE_ACTION", 1, allowed=actions),
        Setting("FENCE_ENABLE", 1, allowed=frozenset({1})),
    )


def _terminations(lands: frozenset[float], battery: frozenset[float]) -> tuple[Termination, ...]:
    """The advanced failsafe (ArduPilot `AP_AdvancedFailsafe.cpp`) and what the battery's may be set to.

    AFS_TERM_ACTION: 42 stops the motors or spins a plane down, 43 does so too without rotors to land on; at any other
    value it only tells the board at its pin. By default each cause counts once AFS_ENABLE is set.
    """
    enabled = When("AFS_ENABLE")
    ways = (
        (
            (enabled, When("AFS_TERM_ACTION", frozenset({42.0, 43.0}) - lands, other=False)),
            "ends its flight where it is",
        ),
        ((enabled, When("AFS_TERM_PIN", frozenset({-1.0}))), "has the board at AFS_TERM_PIN end its flight"),
    )
    return (
        *(
            one
            for by, act in ways
            for one in (
                Termination("when it leaves its fence", (*by, When("AFS_GEOFENCE")), act),
                Termination(
                    "without its radio control",
                    (*by, When("AFS_RC"), When("AFS_RC_FAIL_TIME"), When("AFS_RC_MAN_ONLY", other=False)),
                    act,
                ),
                Termination(
                    "when it is farther from where it armed", (*by, When("AFS_MAX_RANGE")), act, reach_m=1000.0
                ),
                Termination(
                    "when it is higher above sea level",
                    (*by, When("AFS_QNH_PRESSURE"), When("AFS_AMSL_LIMIT")),
                    act,
                    bearable=True,
                    is_height=True,
                ),
                Termination("when it hears nobody and has no GPS", (*by, When("AFS_DUAL_LOSS")), act, bearable=True),
            )
        ),
        Termination(
            "when it hears nobody",
            (enabled, When("AFS_WP_COMMS")),
            "goes on at the item of its mission that AFS_WP_COMMS names",
            bearable=True,
        ),
        *(
            Termination(cause, (When(name, battery, other=False),))
            for cause, name in (
                ("when its battery is low", "BATT_FS_LOW_ACT"),
                ("when its battery is nearly empty", "BATT_FS_CRT_ACT"),
                ("when its second battery is low", "BATT2_FS_LOW_ACT"),
                ("when its second battery is nearly empty", "BATT2_FS_CRT_ACT"),
            )
        ),
    )


ARDUCOPTER = Dialect(
    name="ardupilot",
    modes=_COPTER_MODES,
    mode_params=MappingProxyType({name: (number, 0) for name, number in _COPTER_MODES.items()}),
    mission_mode="AUTO",
    pause_mode="BRAKE",
    return_mode="RTL",
    land_mode="LAND",
    # It cannot arm in AUTO, and AUTO alone does not take off.
    start=(
        Step(StepKind.MODE, "GUIDED"),
        Step(StepKind.ARM),
        Step(StepKind.MODE, "AUTO"),
        Step(StepKind.COMMAND, mav.MAV_CMD_MISSION_START),
    ),
    home_is_item_0=True,
    kept_params=_KEPT,
    held_figures=_HELD,
    headings=MappingProxyType({}),
    keeps_autocontinue=False,
    judges_missions=False,
    keeps_place_of_actions=False,
    accepts_nan=False,
    height_step_m=0.01,
    download_window=5,
    # Without a card no board has more bytes for a fence, and small ones have 304; none has more than 690 for rally
    # points, of 15 each (StorageManager.cpp, AP_Rally.h). Small boards count 15 jumps.
    limits=MappingProxyType(
        {
            MissionKind.MISSION: _MISSION,
            MissionKind.FENCE: _vertices(560),
            MissionKind.RALLY: Limit(default=46),
        }
    ),
    most_jumps=15,
    fence=_fence(frozenset({1, 2, 3, 4, 5})),
    ceiling=Ceiling("FENCE_ALT_MAX", mask="FENCE_TYPE", bit=1),
    estimator_message="EKF_STATUS_REPORT",
    param_encoding=ParamEncoding.CAST,
    orders=OrderWays(
        guided_mode="GUIDED",
        frame=mav.MAV_FRAME_GLOBAL_RELATIVE_ALT,
        no_heading=math.nan,
        take_off=(
            Step(StepKind.MODE, "GUIDED"),
            Step(StepKind.ARM),
            Step(StepKind.COMMAND, mav.MAV_CMD_NAV_TAKEOFF),
        ),
        circle="",
        widens_in_thin_air=False,
        speed_type=mav.SPEED_TYPE_GROUNDSPEED,
        gimbal=GimbalWay.MANAGER,
        claims_gimbal=False,
        # Before 4.5 DO_SET_ROI_NONE freed the mount alone (ArduPilot#24013, mended by #25277).
        frees_nose_by_place=True,
        jumps_by_message=False,
        camera=None,
    ),
    ground=GroundWays("FS_GCS_ENABLE", system_id="MAV_GCS_SYSID", highest_id="MAV_GCS_SYSID_HI"),
    radio="FS_THR_ENABLE",
    battery=COPTER_BATTERY,
    homes_at_arming=True,
    has_list_files=True,
    takes_partial_lists=True,
    # BATT_FS_LOW_ACT of Copter: 5 stops the motors; of Plane: 3 ends the flight, 5 opens the parachute.
    terminations=_terminations(lands=frozenset({43.0}), battery=frozenset({5.0})),
)
"""Multirotors and helicopters."""

ARDUPLANE = replace(
    ARDUCOPTER,
    modes=_PLANE_MODES,
    mode_params=MappingProxyType({name: (number, 0) for name, number in _PLANE_MODES.items()}),
    pause_mode="LOITER",
    fence=_fence(frozenset({1, 6, 7, 8})),
    land_mode="QLAND",
    homes_at_arming=False,
    hovers="Q_ENABLE",
    # 1 goes home or to a rally point first, where the way is inside the fence; 2 straight to the landing sequence.
    landing=Setting("RTL_AUTOLAND", 1, allowed=frozenset({1, 2})),
    # 0, as it comes, circles over home until the battery is empty (seen on 4.7-dev).
    rotor_return=Setting("Q_RTL_MODE", 1, allowed=frozenset({1, 2, 3})),
    start=(Step(StepKind.MODE, "FBWA"), Step(StepKind.ARM), Step(StepKind.MODE, "AUTO")),
    limits=MappingProxyType(
        {**ARDUCOPTER.limits, MissionKind.FENCE: _vertices(672), MissionKind.RALLY: Limit(default=50)}
    ),
    # Plane stores acceptance radius and pass-by distance of waypoints too.
    kept_params=MappingProxyType(
        {
            **_KEPT,
            mav.MAV_CMD_NAV_WAYPOINT: (2, 3),
            mav.MAV_CMD_NAV_VTOL_TAKEOFF: (),
            # Its options and how it comes in; which way it then points is its own.
            mav.MAV_CMD_NAV_VTOL_LAND: (1, 3),
        }
    ),
    held_figures=MappingProxyType({**_HELD, mav.MAV_CMD_NAV_WAYPOINT: {2: HeldFigure(_BYTE), 3: HeldFigure(_BYTE)}}),
    # Plane makes a circle to the left of any heading but 0, and ignores a ground speed (ArduPilot#9208).
    orders=replace(
        ARDUCOPTER.orders,
        no_heading=0.0,
        circle="WP_LOITER_RAD",
        widens_in_thin_air=True,
        speed_type=mav.SPEED_TYPE_AIRSPEED,
        frees_nose_by_place=False,
    ),
    ground=replace(ARDUCOPTER.ground, action="FS_GCS_ENABL"),  # so written
    radio="THR_FAILSAFE",
    battery=PLANE_BATTERY,
    wing_speeds=SpeedRange("AIRSPEED_MAX", "AIRSPEED_MIN", frozenset({mav.SPEED_TYPE_AIRSPEED})),
    terminations=_terminations(lands=frozenset(), battery=frozenset({3.0, 5.0})),
)
"""Fixed wings and VTOL planes."""
