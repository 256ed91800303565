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


MISSION_COMMANDS: dict[int, CommandSpec] = {
    mav.MAV_CMD_NAV_WAYPOINT: command_spec(1, place=True, nav=True, nan=(4,), whole=(1,)),
    mav.MAV_CMD_NAV_LOITER_UNLIM: command_spec(3, place=True, nav=True, whole=(3,)),
    mav.MAV_CMD_NAV_LOITER_TIME: command_spec(1, place=True, nav=True, whole=(1,)),
    mav.MAV_CMD_NAV_RETURN_TO_LAUNCH: command_spec(nav=True),
    mav.MAV_CMD_NAV_LAND: command_spec(1, place=True, nav=True, nan=(4,), whole=(1,)),
    mav.MAV_CMD_NAV_TAKEOFF: command_spec(1, place=True, nav=True, nan=(4,), whole=(1,)),
    mav.MAV_CMD_NAV_DELAY: command_spec(1, 2, 3, 4, nav=True),
    mav.MAV_CMD_CONDITION_YAW: command_spec(1, 2, 3, 4),
    mav.MAV_CMD_DO_JUMP: command_spec(1, 2),
    mav.MAV_CMD_DO_CHANGE_SPEED: command_spec(1, 2, 3),
    mav.MAV_CMD_DO_LAND_START: command_spec(place=True),
    mav.MAV_CMD_DO_SET_ROI_LOCATION: command_spec(1, place=True),
    mav.MAV_CMD_DO_SET_ROI_NONE: command_spec(),
    mav.MAV_CMD_DO_SET_ROI: command_spec(1, place=True),
    mav.MAV_CMD_DO_MOUNT_CONTROL: command_spec(1, 2, 3),
    mav.MAV_CMD_DO_GIMBAL_MANAGER_PITCHYAW: command_spec(1, 2, 3, 4, xyz=True),
    mav.MAV_CMD_DO_FENCE_ENABLE: command_spec(1),
    mav.MAV_CMD_DO_DIGICAM_CONTROL: command_spec(1, 2, 3, 4, xyz=True),
    mav.MAV_CMD_DO_SET_CAM_TRIGG_DIST: command_spec(1, 3),
    mav.MAV_CMD_IMAGE_START_CAPTURE: command_spec(1, 2, 3),
    mav.MAV_CMD_IMAGE_STOP_CAPTURE: command_spec(1),
    mav.MAV_CMD_SET_CAMERA_ZOOM: command_spec(1, 2),
    mav.MAV_CMD_SET_CAMERA_FOCUS: command_spec(1, 2),
    mav.MAV_CMD_VIDEO_START_CAPTURE: command_spec(1),
    mav.MAV_CMD_VIDEO_STOP_CAPTURE: command_spec(1),
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
    if item.command == mav.MAV_CMD_NAV_LAND:
        params = (*params[:3], -1.0 if item.params[3] < 0.0 else 1.0)  # a direction of turn is all that it keeps
    params = tuple(_whole(p, spec.most) if index in spec.whole else p for index, p in enumerate(params, start=1))
    kept = replace(item, params=(params[0], params[1], params[2], params[3]), autocontinue=True)
    if spec.place:
        if mission_type == mav.MAV_MISSION_TYPE_FENCE:
            return mav.MAV_MISSION_ACCEPTED, replace(kept, frame=mav.MAV_FRAME_GLOBAL, z=0.0)
        up_m = float(int(item.z)) if mission_type == mav.MAV_MISSION_TYPE_RALLY else round(item.z, 2)
        return mav.MAV_MISSION_ACCEPTED, replace(kept, frame=_FRAMES[item.frame], z=up_m)
    if spec.keeps_xyz:
        return mav.MAV_MISSION_ACCEPTED, replace(kept, frame=mav.MAV_FRAME_GLOBAL)
    return mav.MAV_MISSION_ACCEPTED, replace(kept, frame=mav.MAV_FRAME_GLOBAL, x=0, y=0, z=0.0)


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
