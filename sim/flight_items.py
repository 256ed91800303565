"""Items of missions, fences and rally sets, and what a vehicle makes of them when it stores them.

The rules are those seen on ArduCopter: which parameters a command keeps (the rest read back as zero), heights rounded
to centimetres, relative frames 6 read back as 3, commands without a place as frame 0; and by its sources figures that
are held as whole numbers (AP_Mission.cpp, MissionItemProtocol_Rally.cpp, MissionItemProtocol_Fence.cpp).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import copysign, isfinite, isinf, isnan

from pymavlink.dialects.v20 import ardupilotmega as mav

__all__ = [
    "ARDUPILOT_RULES",
    "FENCE_COMMANDS",
    "MISSION_COMMANDS",
    "PLANE_COMMANDS",
    "RALLY_COMMANDS",
    "CommandSpec",
    "Item",
    "StoreRules",
    "ardupilot_store",
    "command_spec",
    "fence_bytes",
    "fence_is_whole",
    "stored",
]

_MAX_HEIGHT_M, _MAX_RALLY_M = 83000.0, 32767.0
_LIMITS_E7 = (900_000_000, 1_800_000_000)


@dataclass(frozen=True, slots=True)
class Item:
    """One item as it travels: command, frame, four parameters, latitude and longitude in 1e-7 degrees, height in m."""

    command: int
    frame: int
    params: tuple[float, float, float, float]
    x: int
    y: int
    z: float
    autocontinue: bool = True


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """How a mission command is stored: with a place or not, which parameters are kept, which may be NaN.

    Of parameters that are kept as `whole` numbers what follows the point is dropped, and `most` is the greatest.
    """

    kept: frozenset[int] = frozenset()
    place: bool = False
    nav: bool = False
    may_be_nan: frozenset[int] = frozenset()
    keeps_xyz: bool = False
    whole: frozenset[int] = frozenset()
    most: float = 65535.0


@dataclass(frozen=True, slots=True)
class StoreRules:
    """What an autopilot stores of items.

    Parameters
    ----------
    commands
        By MAV_MISSION_TYPE the commands that it takes.
    store
        Makes of an item and its row the MAV_MISSION_RESULT and what is kept.
    """

    commands: Mapping[int, Mapping[int, CommandSpec]]
    store: Callable[[Item, CommandSpec, int], tuple[int, Item]]

    @property
    def mission(self) -> Mapping[int, CommandSpec]:
        """Commands of missions."""
        return self.commands[mav.MAV_MISSION_TYPE_MISSION]


def command_spec(
    *kept: int,
    place: bool = False,
    nav: bool = False,
    nan: tuple[int, ...] = (),
    xyz: bool = False,
    whole: tuple[int, ...] = (),
    most: float = 65535.0,
) -> CommandSpec:
    """A row: the parameters that are kept, and the rest of a `CommandSpec`."""
    return CommandSpec(frozenset(kept), place, nav, frozenset(nan), xyz, frozenset(whole), most)


# Those that wings take too (AP_Mission.cpp, and the answers of ArduCopter 4.7-dev).
_BOTH: dict[int, CommandSpec] = {
    mav.MAV_CMD_NAV_WAYPOINT: command_spec(1, place=True, nav=True, nan=(4,), whole=(1,)),
    mav.MAV_CMD_NAV_LOITER_UNLIM: command_spec(3, place=True, nav=True, whole=(3,)),
    mav.MAV_CMD_NAV_LOITER_TURNS: command_spec(1, 3, 4, place=True, nav=True),
    mav.MAV_CMD_NAV_LOITER_TIME: command_spec(1, 3, 4, place=True, nav=True, whole=(1,)),
    mav.MAV_CMD_NAV_LOITER_TO_ALT: command_spec(2, 4, place=True, nav=True, whole=(2,)),
    mav.MAV_CMD_NAV_RETURN_TO_LAUNCH: command_spec(nav=True),
    mav.MAV_CMD_NAV_LAND: command_spec(1, 4, place=True, nav=True, nan=(4,), whole=(1,)),
    mav.MAV_CMD_NAV_TAKEOFF: command_spec(1, place=True, nav=True, nan=(4,), whole=(1,)),
    mav.MAV_CMD_NAV_DELAY: command_spec(1, 2, 3, 4, nav=True, whole=(2, 3, 4)),
    mav.MAV_CMD_CONDITION_DELAY: command_spec(1),
    mav.MAV_CMD_CONDITION_DISTANCE: command_spec(1),
    mav.MAV_CMD_CONDITION_YAW: command_spec(1, 2, 3, 4, whole=(3, 4)),
    mav.MAV_CMD_DO_JUMP: command_spec(1, 2, whole=(1, 2)),
    mav.MAV_CMD_DO_CHANGE_SPEED: command_spec(1, 2, 3, whole=(1,)),
    mav.MAV_CMD_DO_LAND_START: command_spec(place=True),
    mav.MAV_CMD_DO_SET_ROI_LOCATION: command_spec(1, place=True, whole=(1,)),
    mav.MAV_CMD_DO_SET_ROI_NONE: command_spec(1, whole=(1,)),
    mav.MAV_CMD_DO_SET_ROI: command_spec(1, place=True, whole=(1,)),
    mav.MAV_CMD_DO_MOUNT_CONTROL: command_spec(1, 2, 3),
    mav.MAV_CMD_DO_GIMBAL_MANAGER_PITCHYAW: command_spec(1, 2, 3, 4, xyz=True, whole=(1, 2, 3, 4)),
    mav.MAV_CMD_DO_FENCE_ENABLE: command_spec(1, whole=(1,)),
    mav.MAV_CMD_DO_DIGICAM_CONTROL: command_spec(1, 2, 3, 4, xyz=True),
    mav.MAV_CMD_DO_SET_CAM_TRIGG_DIST: command_spec(1, 3, whole=(3,)),
    mav.MAV_CMD_IMAGE_START_CAPTURE: command_spec(1, 2, 3, 4, nan=(4,), whole=(1, 3, 4)),
    mav.MAV_CMD_IMAGE_STOP_CAPTURE: command_spec(1, whole=(1,)),
    mav.MAV_CMD_SET_CAMERA_ZOOM: command_spec(1, 2, whole=(1,)),
    mav.MAV_CMD_SET_CAMERA_FOCUS: command_spec(1, 2, whole=(1,)),
    mav.MAV_CMD_SET_CAMERA_SOURCE: command_spec(1, 2, 3, whole=(1, 2, 3)),
    mav.MAV_CMD_VIDEO_START_CAPTURE: command_spec(1, whole=(1,)),
    mav.MAV_CMD_VIDEO_STOP_CAPTURE: command_spec(1, whole=(1,)),
    # Taken, and not acted on.
    mav.MAV_CMD_DO_SET_HOME: command_spec(1, place=True, whole=(1,)),
    mav.MAV_CMD_DO_SET_RELAY: command_spec(1, 2, whole=(1, 2)),
    mav.MAV_CMD_DO_SET_SERVO: command_spec(1, 2, whole=(1, 2)),
    mav.MAV_CMD_DO_REPEAT_SERVO: command_spec(1, 2, 3, 4, whole=(1, 2, 3)),
    mav.MAV_CMD_DO_SET_REVERSE: command_spec(1, whole=(1,)),
    mav.MAV_CMD_DO_PAUSE_CONTINUE: command_spec(1, whole=(1,)),
    mav.MAV_CMD_DO_DIGICAM_CONFIGURE: command_spec(1, 2, 3, 4, xyz=True, whole=(1, 2, 3, 4)),
    mav.MAV_CMD_DO_PARACHUTE: command_spec(1, whole=(1,)),
    mav.MAV_CMD_DO_INVERTED_FLIGHT: command_spec(1, whole=(1,)),
    mav.MAV_CMD_DO_GRIPPER: command_spec(1, 2, whole=(1, 2)),
    mav.MAV_CMD_DO_AUTOTUNE_ENABLE: command_spec(1, whole=(1,)),
    mav.MAV_CMD_DO_SET_RESUME_REPEAT_DIST: command_spec(1, whole=(1,)),
    mav.MAV_CMD_DO_SPRAYER: command_spec(1, whole=(1,)),
    mav.MAV_CMD_DO_SEND_SCRIPT_MESSAGE: command_spec(1, 2, 3, 4, whole=(1,)),
    mav.MAV_CMD_DO_AUX_FUNCTION: command_spec(1, 2, whole=(1, 2)),
    mav.MAV_CMD_DO_GUIDED_LIMITS: command_spec(1, 2, 3, 4, whole=(1,)),
}
MISSION_COMMANDS: dict[int, CommandSpec] = {
    **_BOTH,
    mav.MAV_CMD_NAV_SPLINE_WAYPOINT: command_spec(1, place=True, nav=True, whole=(1,)),
    mav.MAV_CMD_NAV_VTOL_TAKEOFF: command_spec(place=True, nav=True, nan=(4,)),
    mav.MAV_CMD_NAV_VTOL_LAND: command_spec(1, place=True, nav=True, nan=(4,), whole=(1,)),
}
# ArduPlane packs acceptance radius and pass-by distance of a waypoint into a byte each, and waits at no waypoint.
PLANE_COMMANDS: dict[int, CommandSpec] = {
    **_BOTH,
    mav.MAV_CMD_NAV_WAYPOINT: command_spec(2, 3, place=True, nav=True, nan=(4,), whole=(2, 3), most=255.0),
    mav.MAV_CMD_NAV_VTOL_TAKEOFF: command_spec(place=True, nav=True, nan=(4,)),
    mav.MAV_CMD_NAV_VTOL_LAND: command_spec(1, 3, place=True, nav=True, nan=(4,)),
    mav.MAV_CMD_DO_VTOL_TRANSITION: command_spec(1),
}
FENCE_COMMANDS: dict[int, CommandSpec] = {
    mav.MAV_CMD_NAV_FENCE_POLYGON_VERTEX_INCLUSION: command_spec(1, place=True),
    mav.MAV_CMD_NAV_FENCE_POLYGON_VERTEX_EXCLUSION: command_spec(1, place=True),
    mav.MAV_CMD_NAV_FENCE_CIRCLE_INCLUSION: command_spec(1, place=True),
    mav.MAV_CMD_NAV_FENCE_CIRCLE_EXCLUSION: command_spec(1, place=True),
    mav.MAV_CMD_NAV_FENCE_RETURN_POINT: command_spec(place=True),
}
RALLY_COMMANDS: dict[int, CommandSpec] = {mav.MAV_CMD_NAV_RALLY_POINT: command_spec(place=True)}

# What a frame comes back as; a frame that is not here is refused.
_FRAMES = {
    mav.MAV_FRAME_MISSION: mav.MAV_FRAME_GLOBAL,
    mav.MAV_FRAME_GLOBAL: mav.MAV_FRAME_GLOBAL,
    mav.MAV_FRAME_GLOBAL_INT: mav.MAV_FRAME_GLOBAL,
    mav.MAV_FRAME_GLOBAL_RELATIVE_ALT: mav.MAV_FRAME_GLOBAL_RELATIVE_ALT,
    mav.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT: mav.MAV_FRAME_GLOBAL_RELATIVE_ALT,
    mav.MAV_FRAME_GLOBAL_TERRAIN_ALT: mav.MAV_FRAME_GLOBAL_TERRAIN_ALT,
    mav.MAV_FRAME_GLOBAL_TERRAIN_ALT_INT: mav.MAV_FRAME_GLOBAL_TERRAIN_ALT,
}
_POLYGONS = (mav.MAV_CMD_NAV_FENCE_POLYGON_VERTEX_INCLUSION, mav.MAV_CMD_NAV_FENCE_POLYGON_VERTEX_EXCLUSION)


def stored(item: Item, mission_type: int, rules: StoreRules | None = None) -> tuple[int, Item]:
    """What the vehicle answers to an item, and the item as it keeps it.

    Parameters
    ----------
    item
        As received.
    mission_type
        MAV_MISSION_TYPE.
    rules
        Of the autopilot; ArduCopter's by default.

    Returns
    -------
    tuple of int and Item
        MAV_MISSION_RESULT (0 accepts) and the item as it will read back.
    """
    rules = rules or ARDUPILOT_RULES
    spec = rules.commands[mission_type].get(item.command)
    if spec is None:
        return mav.MAV_MISSION_UNSUPPORTED, item
    return rules.store(item, spec, mission_type)


def ardupilot_store(item: Item, spec: CommandSpec, mission_type: int) -> tuple[int, Item]:
    """What ArduPilot answers to an item, and the item as it keeps it: a `StoreRules.store`."""
    result = _check(item, spec, mission_type)
    if result != mav.MAV_MISSION_ACCEPTED:
        return result, item
    params = tuple(
        value if index in spec.kept and not isnan(value) else 0.0 for index, value in enumerate(item.params, start=1)
    )
    params = tuple(_whole(p, spec.most) if index in spec.whole else p for index, p in enumerate(params, start=1))
    params = _OWN_WAYS.get(item.command, tuple)(params)
    kept = replace(item, params=(params[0], params[1], params[2], params[3]), autocontinue=True)
    if spec.place:
        if mission_type == mav.MAV_MISSION_TYPE_FENCE:
            return mav.MAV_MISSION_ACCEPTED, replace(kept, frame=mav.MAV_FRAME_GLOBAL, z=0.0)
        up_m = float(int(item.z)) if mission_type == mav.MAV_MISSION_TYPE_RALLY else round(item.z, 2)
        return mav.MAV_MISSION_ACCEPTED, replace(kept, frame=_FRAMES[item.frame], z=up_m)
    if spec.keeps_xyz:
        return mav.MAV_MISSION_ACCEPTED, replace(kept, frame=mav.MAV_FRAME_GLOBAL)
    return mav.MAV_MISSION_ACCEPTED, replace(kept, frame=mav.MAV_FRAME_GLOBAL, x=0, y=0, z=0.0)


def _direction(value: float) -> float:
    return -1.0 if value < 0.0 else 1.0


def _tangent(value: float) -> float:
    """Whether the way on begins at the circle's edge, which is all that is kept of it."""
    return 1.0 if value > 0.0 else 0.0


def _turns(params: tuple[float, ...]) -> tuple[float, ...]:
    """A byte each: less than one turn in 256ths, a radius above 255 m in tens of metres."""
    turns, _, radius_m, edge = params
    kept = float(int(turns * 256.0)) / 256.0 if 0.0 < turns < 1.0 else min(255.0, float(int(turns)))
    size_m = abs(radius_m)
    size_m = float(int(size_m)) if size_m <= 255.0 else 10.0 * min(255.0, float(int(size_m * 0.1)))
    return kept, 0.0, copysign(size_m, radius_m), _tangent(edge)


_OWN_WAYS: dict[int, Callable[[tuple[float, ...]], tuple[float, ...]]] = {
    mav.MAV_CMD_NAV_LAND: lambda p: (*p[:3], _direction(p[3])),
    mav.MAV_CMD_NAV_LOITER_TURNS: _turns,
    mav.MAV_CMD_NAV_LOITER_TIME: lambda p: (p[0], 0.0, _direction(p[2]), _tangent(p[3])),
    mav.MAV_CMD_NAV_LOITER_TO_ALT: lambda p: (*p[:3], _tangent(p[3])),
}


def _whole(value: float, most: float) -> float:
    return copysign(min(most, float(int(abs(value)))), value)


def _check(item: Item, spec: CommandSpec, mission_type: int) -> int:
    for index, value in enumerate(item.params, start=1):
        if isinf(value) or (isnan(value) and index not in spec.may_be_nan):
            return int(mav.MAV_MISSION_INVALID_PARAM1) + index - 1
    if not spec.place:
        return int(mav.MAV_MISSION_ACCEPTED)
    in_mission = mission_type == mav.MAV_MISSION_TYPE_MISSION
    if item.frame not in _FRAMES or (item.frame == mav.MAV_FRAME_MISSION and not in_mission):
        return int(mav.MAV_MISSION_UNSUPPORTED_FRAME)
    for offset, (value, limit) in enumerate(zip((item.x, item.y), _LIMITS_E7, strict=True)):
        if abs(value) > limit:
            return int(mav.MAV_MISSION_INVALID_PARAM5_X) + offset
    most_m = _MAX_RALLY_M if mission_type == mav.MAV_MISSION_TYPE_RALLY else _MAX_HEIGHT_M
    if not isfinite(item.z) or abs(item.z) > most_m:
        return int(mav.MAV_MISSION_INVALID_PARAM7)
    return int(mav.MAV_MISSION_ACCEPTED)


ARDUPILOT_RULES = StoreRules(
    {
        mav.MAV_MISSION_TYPE_MISSION: MISSION_COMMANDS,
        mav.MAV_MISSION_TYPE_FENCE: FENCE_COMMANDS,
        mav.MAV_MISSION_TYPE_RALLY: RALLY_COMMANDS,
    },
    ardupilot_store,
)
"""ArduCopter's."""


def fence_is_whole(items: Sequence[Item]) -> bool:
    """Whether every polygon has as many vertices as each of them says, at least 3, and every circle a radius."""
    index = 0
    while index < len(items):
        item = items[index]
        if item.command not in _POLYGONS:
            if item.command != mav.MAV_CMD_NAV_FENCE_RETURN_POINT and not item.params[0] > 0.0:
                return False
            index += 1
            continue
        count = int(item.params[0])
        vertices = items[index : index + count]
        if count < 3 or len(vertices) < count:
            return False
        if any(v.command != item.command or int(v.params[0]) != count for v in vertices):
            return False
        index += count
    return True


def fence_bytes(items: Sequence[Item]) -> int:
    """What a whole fence takes in ArduPilot's storage (AC_PolyFence_loader.cpp, ``fence_storage_space_required``)."""
    taken, index = 4, 0
    while index < len(items):
        item = items[index]
        if item.command in _POLYGONS:
            count = int(item.params[0])
            taken, index = taken + 2 + 8 * count, index + count
        else:
            taken += 9 if item.command == mav.MAV_CMD_NAV_FENCE_RETURN_POINT else 13
            index += 1
    return taken
