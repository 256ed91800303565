"""Items of missions, fences and rally sets, and what PX4 makes of them when it stores them (mavlink_mission.cpp)."""

from __future__ import annotations

from dataclasses import replace
from math import isnan

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.flight_items import CommandSpec, Item, StoreRules, command_spec

__all__ = ["PX4_RULES"]

_MISSION = {
    mav.MAV_CMD_NAV_WAYPOINT: command_spec(1, 2, 4, place=True, nav=True),
    mav.MAV_CMD_NAV_LOITER_UNLIM: command_spec(3, 4, place=True, nav=True),
    mav.MAV_CMD_NAV_LOITER_TIME: command_spec(1, 2, 3, 4, place=True, nav=True),
    mav.MAV_CMD_NAV_LAND: command_spec(2, 4, place=True, nav=True),
    mav.MAV_CMD_NAV_TAKEOFF: command_spec(4, place=True, nav=True),
    mav.MAV_CMD_NAV_LOITER_TO_ALT: command_spec(1, 2, 4, place=True, nav=True),
    mav.MAV_CMD_NAV_VTOL_TAKEOFF: command_spec(4, place=True, nav=True),
    mav.MAV_CMD_NAV_VTOL_LAND: command_spec(4, place=True, nav=True),
    mav.MAV_CMD_DO_SET_ROI_LOCATION: command_spec(place=True),
    mav.MAV_CMD_NAV_RETURN_TO_LAUNCH: command_spec(nav=True),
    mav.MAV_CMD_NAV_DELAY: command_spec(nav=True),
    **{
        command: command_spec()
        for command in (
            mav.MAV_CMD_DO_JUMP,
            mav.MAV_CMD_DO_CHANGE_SPEED,
            mav.MAV_CMD_DO_SET_HOME,
            mav.MAV_CMD_DO_LAND_START,
            mav.MAV_CMD_DO_TRIGGER_CONTROL,
            mav.MAV_CMD_DO_DIGICAM_CONTROL,
            mav.MAV_CMD_DO_MOUNT_CONFIGURE,
            mav.MAV_CMD_DO_MOUNT_CONTROL,
            mav.MAV_CMD_DO_GIMBAL_MANAGER_PITCHYAW,
            mav.MAV_CMD_DO_GIMBAL_MANAGER_CONFIGURE,
            mav.MAV_CMD_DO_CONTROL_VIDEO,
            mav.MAV_CMD_DO_SET_ROI_WPNEXT_OFFSET,
            mav.MAV_CMD_OBLIQUE_SURVEY,
            mav.MAV_CMD_DO_SET_ROI,
            mav.MAV_CMD_DO_SET_ROI_NONE,
            mav.MAV_CMD_DO_SET_CAM_TRIGG_DIST,
            mav.MAV_CMD_DO_SET_CAM_TRIGG_INTERVAL,
            mav.MAV_CMD_SET_CAMERA_MODE,
            mav.MAV_CMD_SET_CAMERA_FOCUS,
            mav.MAV_CMD_SET_CAMERA_ZOOM,
            mav.MAV_CMD_IMAGE_START_CAPTURE,
            mav.MAV_CMD_IMAGE_STOP_CAPTURE,
            mav.MAV_CMD_VIDEO_START_CAPTURE,
            mav.MAV_CMD_VIDEO_STOP_CAPTURE,
            mav.MAV_CMD_DO_VTOL_TRANSITION,
            mav.MAV_CMD_CONDITION_DELAY,
            mav.MAV_CMD_CONDITION_DISTANCE,
        )
    },
}
_FENCE = {
    mav.MAV_CMD_NAV_FENCE_POLYGON_VERTEX_INCLUSION: command_spec(1, place=True),
    mav.MAV_CMD_NAV_FENCE_POLYGON_VERTEX_EXCLUSION: command_spec(1, place=True),
    mav.MAV_CMD_NAV_FENCE_CIRCLE_INCLUSION: command_spec(1, place=True),
    mav.MAV_CMD_NAV_FENCE_CIRCLE_EXCLUSION: command_spec(1, place=True),
    mav.MAV_CMD_NAV_FENCE_RETURN_POINT: command_spec(place=True),
}
_RALLY = {mav.MAV_CMD_NAV_RALLY_POINT: command_spec(place=True)}
# What a frame comes back as, to someone who asks with MISSION_REQUEST_INT. Heights above terrain are refused.
_FRAMES = {
    mav.MAV_FRAME_GLOBAL: mav.MAV_FRAME_GLOBAL_INT,
    mav.MAV_FRAME_GLOBAL_INT: mav.MAV_FRAME_GLOBAL_INT,
    mav.MAV_FRAME_GLOBAL_RELATIVE_ALT: mav.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT,
    mav.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT: mav.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT,
}
_HEADED = frozenset({mav.MAV_CMD_NAV_WAYPOINT, mav.MAV_CMD_NAV_LOITER_UNLIM, mav.MAV_CMD_NAV_LAND,
                     mav.MAV_CMD_NAV_TAKEOFF, mav.MAV_CMD_NAV_VTOL_TAKEOFF, mav.MAV_CMD_NAV_VTOL_LAND})  # fmt: skip


def px4_store(item: Item, spec: CommandSpec, mission_type: int) -> tuple[int, Item]:
    """What PX4 answers to an item, and the item as it keeps it: a `StoreRules.store`.

    A command without a place keeps all it came with, NaN too, and has to come in MAV_FRAME_MISSION. A place keeps what
    its struct has room for, and headings come back in [0, 360).
    """
    if not spec.place:
        if item.frame != mav.MAV_FRAME_MISSION:
            known = item.frame in _FRAMES
            return (mav.MAV_MISSION_UNSUPPORTED if known else mav.MAV_MISSION_UNSUPPORTED_FRAME), item
        return mav.MAV_MISSION_ACCEPTED, item
    if item.frame == mav.MAV_FRAME_MISSION:
        return mav.MAV_MISSION_UNSUPPORTED, item
    if item.frame not in _FRAMES:
        return mav.MAV_MISSION_UNSUPPORTED_FRAME, item
    if mission_type == mav.MAV_MISSION_TYPE_FENCE and _is_vertex(item) and not item.params[0] >= _LEAST_VERTICES:
        return mav.MAV_MISSION_ERROR, item
    p = [value if index in spec.kept else 0.0 for index, value in enumerate(item.params, start=1)]
    if item.command in _HEADED:
        p[3] = p[3] if isnan(p[3]) else p[3] % 360.0
    if item.command == mav.MAV_CMD_NAV_LOITER_TIME:
        p[1], p[3] = float(p[1] > 0), float(p[3] > 0)
    if item.command == mav.MAV_CMD_NAV_LOITER_TO_ALT:
        p[0], p[3] = float(p[0] > 0), float(p[3] > 0)
    kept = replace(item, frame=_FRAMES[item.frame], params=(p[0], p[1], p[2], p[3]))
    # A point of a fence has no room for it (mission_fence_point_s): seen on PX4 main of May 2026.
    return mav.MAV_MISSION_ACCEPTED, replace(kept, autocontinue=kept.autocontinue and mission_type != _OF_FENCE)


_LEAST_VERTICES = 3
_OF_FENCE = mav.MAV_MISSION_TYPE_FENCE


def _is_vertex(item: Item) -> bool:
    return item.command in (
        mav.MAV_CMD_NAV_FENCE_POLYGON_VERTEX_INCLUSION,
        mav.MAV_CMD_NAV_FENCE_POLYGON_VERTEX_EXCLUSION,
    )


PX4_RULES = StoreRules(
    {
        mav.MAV_MISSION_TYPE_MISSION: _MISSION,
        mav.MAV_MISSION_TYPE_FENCE: _FENCE,
        mav.MAV_MISSION_TYPE_RALLY: _RALLY,
    },
    px4_store,
)
"""What PX4 takes and keeps."""
